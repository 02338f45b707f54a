"""Mosaic: small stones in dark grout, one colour each, every one tilted a little to the light."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.painters import tone
from inference.training.restyler.painters.direction import slopes
from inference.training.restyler.painters.grain import blurred, nearest, seeds, soft, step

_GROUT: Final = np.array([0.27, 0.25, 0.24], np.float32)
_DISTANCE: Final = 7.6


def paint(photo: NDArray[np.uint8], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lays a photo in stones.

    Args:
        photo: UINT8 RGB [H, W, 3].
        noise: standard normal FP32 [H, W, 3].
    """
    picture = tone.saturated(tone.colours(photo), 1.45) ** np.float32(0.85)
    rows, columns = seeds(noise[..., 0], _DISTANCE)
    number, _ = nearest(picture.shape[:2], rows, columns)
    stones = _colours(picture, number, len(rows)) + 0.07 * soft(noise[..., 1], 2.0)[rows, columns][:, None]
    gap = _distance_to_border(number)
    painting = stones.astype(np.float32)[number] * (1 + _bevel(gap)[..., None])
    grout = 1 - step(0.4, 1.5, gap)
    return tone.pixels(tone.mixed(painting, np.broadcast_to(_GROUT, painting.shape), grout))


def _colours(picture: tone.Colours, number: NDArray[np.int32], count: int) -> NDArray[np.float32]:
    """Return the mean of the photo under each stone, [count, 3]."""
    flat = number.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    sums = [np.bincount(flat, picture[..., channel].ravel(), count) for channel in range(3)]
    return np.asarray((np.stack(sums, 1) / size[:, None]), np.float32)


def _distance_to_border(number: NDArray[np.int32]) -> NDArray[np.float32]:
    border = np.zeros(number.shape, np.uint8)
    border[:, 1:] |= (number[:, 1:] != number[:, :-1]).astype(np.uint8)
    border[1:] |= (number[1:] != number[:-1]).astype(np.uint8)
    return cv2.distanceTransform(1 - border, cv2.DIST_L2, 5).astype(np.float32)


def _bevel(gap: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stones are rounded at their rims: lighter towards the upper left, darker towards the lower right."""
    dome = blurred(np.minimum(gap, 2.5), 0.8)
    right, down = slopes(dome)
    return np.clip((right + down) * np.float32(0.04), -0.22, 0.25)
