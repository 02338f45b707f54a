"""Watercolour: thin washes that pool at their borders and settle in the paper, and the paper's white for light."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.painters import tone
from inference.training.restyler.painters.grain import band, blurred, soft, step

_PAPER: Final = np.array([0.985, 0.975, 0.95], np.float32)
_WASHES: Final = 5


def paint(photo: NDArray[np.uint8], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Paints a photo in watercolour.

    Args:
        photo: UINT8 RGB [H, W, 3].
        noise: standard normal FP32 [H, W, 3].
    """
    picture = tone.flattened(tone.saturated(tone.colours(photo), 1.45) ** np.float32(0.82), 3, 5.0, 0.12)
    picture = _wandering(picture, noise)
    density = _washes(_thin(-np.log(np.clip(picture, 0.03, 1))), noise)
    settled = np.clip(0.95 + 0.17 * soft(noise[..., 2], 9.0) + 0.12 * band(noise[..., 2], 0.9), 0.35, 1.7)
    painting = _PAPER * np.exp(-density * settled[..., None].astype(np.float32))
    return tone.pixels(painting + np.float32(0.012) * band(noise[..., 2], 0.9)[..., None])


def _thin(density: tone.Colours) -> tone.Colours:
    """Paint thinned with water does not come near black."""
    return np.asarray(np.float32(1.5) * (1 - np.exp(-density / np.float32(1.5))), np.float32)


def _wandering(picture: tone.Colours, noise: NDArray[np.float32]) -> tone.Colours:
    """Let borders wander by a few pixels: a wet brush does not keep to the line."""
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    across = columns + np.float32(1.2) * soft(noise[..., 0], 5.0)
    down = rows + np.float32(1.2) * soft(noise[..., 1], 5.0)
    moved = cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.float32)


def _washes(density: tone.Colours, noise: NDArray[np.float32]) -> tone.Colours:
    """Lays the density in steps, each with a darker rim, and leaves the lightest parts bare."""
    amount = blurred(density.mean(2), 1.5)
    level = amount * np.float32(_WASHES / 1.5) + np.float32(0.16) * soft(noise[..., 0], 6.0)
    whole = np.floor(level)
    stepped = (whole + step(0.30, 0.62, level - whole)) * np.float32(1.5 / _WASHES)
    rim = np.maximum(stepped - blurred(stepped, 3.0), 0)
    bare = step(0.03, 0.13, amount + np.float32(0.02) * soft(noise[..., 0], 6.0))
    scale = (stepped * bare + np.float32(1.5) * rim) / (amount + np.float32(0.03))
    return np.asarray(density * np.clip(scale, 0, 2.5)[..., None], np.float32)
