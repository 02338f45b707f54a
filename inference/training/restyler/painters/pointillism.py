"""Pointillism: dots of unmixed colour on a light ground, warm beside cool, which the eye mixes again."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.painters import tone
from inference.training.restyler.painters.grain import Field, blurred, nearest, seeds, soft, step

_GROUND: Final = np.array([0.95, 0.92, 0.84], np.float32)
_COOL: Final = np.array([-0.10, -0.02, 0.20], np.float32)
_WARM: Final = np.array([0.16, 0.05, -0.16], np.float32)


def paint(photo: NDArray[np.uint8], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Set a photo in dots.

    Args:
        photo: UINT8 RGB [H, W, 3].
        noise: standard normal FP32 [H, W, 3].
    """
    picture = tone.saturated(tone.colours(photo), 1.55) ** np.float32(0.92)
    seen = blurred(picture, 1.3)
    painting = _GROUND * np.float32(0.5) + blurred(seen, 3.0) * np.float32(0.5)
    for channel, distance, radius in ((0, 6.4, 3.9), (1, 7.4, 3.1)):
        painting = _dots(painting, seen, noise, channel, distance, radius)
    return tone.pixels(painting)


def _dots(
    painting: tone.Colours, seen: tone.Colours, noise: NDArray[np.float32], channel: int, distance: float, radius: float
) -> tone.Colours:
    rows, columns = seeds(noise[..., channel], distance)
    number, away = nearest(painting.shape[:2], rows, columns)
    swing = soft(noise[..., (channel + 1) % 3], 1.6)[rows, columns]
    size = radius * (1 + 0.1 * soft(noise[..., (channel + 2) % 3], 1.6)[rows, columns])
    cover: Field = 1 - step(-0.6, 0.6, away - size.astype(np.float32)[number])
    return tone.mixed(painting, _pigments(seen[rows, columns], swing)[number], cover)


def _pigments(colour: NDArray[np.float32], swing: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shifts each dot to the warm or the cool side; shadows more to violet, lights more to yellow. [N, 3]."""
    light = colour.mean(1, keepdims=True)
    swing = np.clip(swing[:, None] + 0.7 * (light - 0.5), -1.6, 1.6)
    shifted = colour + np.where(swing > 0, _WARM, _COOL) * np.abs(swing) + 0.05 * np.sign(swing)
    return np.asarray(np.clip(shifted * 0.94 + 0.05, 0.03, 0.98), np.float32)
