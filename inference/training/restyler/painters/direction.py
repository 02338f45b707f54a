"""Direction field: which way forms run in a photo, and noise drawn out along them."""

import cv2
import numpy as np

from inference.training.restyler.painters.grain import Field, blurred

_CALM = 0.01  # edge energy, in squares of Sobel, below which the direction of rest prevails
_QUARTER_TURN = np.float32(np.pi / 2)


def slopes(field: Field) -> tuple[Field, Field]:
    """How a field rises to the right and downwards (Sobel), eight times as much a pixel; FP32 [H, W] each."""
    right, down = (cv2.Sobel(field, cv2.CV_32F, x, 1 - x) for x in (1, 0))
    return np.asarray(right, np.float32), np.asarray(down, np.float32)


def along_forms(lightness: Field, sigma: float, rest: float) -> Field:
    """Return the angle, in radians, of the least change: the eigenvector of the smoothed structure tensor.

    Args:
        lightness: FP32 [H, W].
        sigma: how far neighbours agree, in pixels.
        rest: the angle where there is no form to follow, in degrees.
    """
    smooth = blurred(lightness, 1.5)
    across, down = slopes(smooth)
    xx, yy, xy = (blurred(part, sigma) for part in (across * across, down * down, across * down))
    calm = np.deg2rad(2 * rest) + np.pi
    slanted, level = 2 * xy + _CALM * np.sin(calm), xx - yy + _CALM * np.cos(calm)
    return np.asarray(0.5 * np.arctan2(slanted, level) + _QUARTER_TURN, np.float32)


def drawn_out(noise: Field, angle: Field, length: int) -> Field:
    """Averages noise along a field of angles (line integral convolution, Cabral and Leedom 1993); unit variance.

    Args:
        noise: FP32 [H, W].
        angle: radians, FP32 [H, W]; a line may turn by half without harm.
        length: of the line to either side, in pixels.
    """
    total = noise.copy()
    for sign in (1, -1):
        total += _walk(noise, np.float32(sign) * np.cos(angle), np.float32(sign) * np.sin(angle), length)
    return total / np.float32(total.std() + 1e-6)


def _walk(noise: Field, cosine: Field, sine: Field, length: int) -> Field:
    rows, columns = np.mgrid[0 : noise.shape[0], 0 : noise.shape[1]].astype(np.float32)
    total, heading_x, heading_y = np.zeros_like(noise), cosine, sine
    for _ in range(length):
        columns, rows = columns + heading_x, rows + heading_y
        total += _sample(noise, columns, rows)
        next_x, next_y = _sample(cosine, columns, rows), _sample(sine, columns, rows)
        turned = np.where(next_x * heading_x + next_y * heading_y < 0, np.float32(-1), np.float32(1))
        heading_x, heading_y = next_x * turned, next_y * turned
    return total


def _sample(field: Field, columns: Field, rows: Field) -> Field:
    taken = cv2.remap(field, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(taken, np.float32)


def hatched(noise: Field, degrees: float, length: float, width: float) -> Field:
    """Parallel lines of chance: noise drawn out along one direction and made wavy across it; unit variance.

    Args:
        noise: FP32 [H, W].
        degrees: the direction of the lines, anticlockwise from the horizontal.
        length: standard deviation along the line, in pixels.
        width: standard deviation across it; lines lie about four of it apart.
    """
    reach = int(2.5 * length)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    turn = np.deg2rad(degrees)
    along = columns * np.cos(turn) - rows * np.sin(turn)
    across = (columns * np.sin(turn) + rows * np.cos(turn)) / width
    ridge = (1 - across**2) * np.exp(-(across**2) / 2) * np.exp(-((along / length) ** 2) / 2)
    lines = cv2.filter2D(noise, cv2.CV_32F, ridge.astype(np.float32), borderType=cv2.BORDER_REFLECT)
    return np.asarray(lines, np.float32) / np.float32(np.sqrt((ridge**2).sum()))
