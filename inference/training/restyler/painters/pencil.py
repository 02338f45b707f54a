"""Pencil: graphite on white paper, hatched in up to three directions, darker where more layers cross."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.painters import tone
from inference.training.restyler.painters.direction import hatched
from inference.training.restyler.painters.grain import Field, band, blurred, soft, step

_PAPER: Final = np.array([0.965, 0.958, 0.94], np.float32)
_GRAPHITE: Final = np.array([0.20, 0.205, 0.22], np.float32)


def paint(photo: NDArray[np.uint8], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draws a photo with a pencil.

    Args:
        photo: UINT8 RGB [H, W, 3].
        noise: standard normal FP32 [H, W, 3].
    """
    light = tone.balanced(tone.lightness(tone.flattened(tone.colours(photo), 1)), 2.2)
    dark = blurred(1 - light, 1.2)
    graphite = _hatching(dark, noise) + _lines(light, noise)
    tooth = 1 + np.float32(0.14) * band(noise[..., 2], 0.8)
    cover = np.clip(1 - np.exp(-graphite * tooth), 0, 1)
    paper = np.broadcast_to(_PAPER, (*dark.shape, 3)) + 0.008 * band(noise[..., 2], 0.8)[..., None]
    return tone.pixels(tone.mixed(paper.astype(np.float32), np.broadcast_to(_GRAPHITE, paper.shape), cover))


def _hatching(dark: Field, noise: NDArray[np.float32]) -> Field:
    """Layers of strokes: the first begins in the half tones, the second crosses it in shadow, the third fills it."""
    total = np.zeros_like(dark)
    for channel, degrees, begins, full, weight in (
        (0, 52, 0.16, 0.75, 0.85),
        (1, 118, 0.45, 0.95, 0.75),
        (2, 30, 0.62, 1.0, 0.9),
    ):
        lines = hatched(noise[..., channel], degrees, 11.0, 1.0)
        amount = np.clip((dark - np.float32(begins)) / np.float32(full - begins), 0, 1)
        total += (
            np.float32(weight)
            * step(0.0, 1.0, (lines - 1.45 + 2.7 * amount) * np.float32(0.9))
            * step(0.0, 0.15, amount)
        )
    return total


def _lines(light: Field, noise: NDArray[np.float32]) -> Field:
    """Contours, pressed harder here and lighter there."""
    pressure = np.clip(1 + np.float32(0.35) * soft(noise[..., 0], 3.0), 0.3, 1.6)
    return np.float32(1.9) * pressure * tone.contours(light, 1.1, 16.0, 0.015)
