"""Chalk: pastel sticks on black paper, whose grain stays dark between the strokes and whose black is the shadow."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.painters import tone
from inference.training.restyler.painters.direction import hatched
from inference.training.restyler.painters.grain import band, blurred, soft, step

_PAPER: Final = np.array([0.10, 0.105, 0.125], np.float32)


def paint(photo: NDArray[np.uint8], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draws a photo in chalk on black paper.

    Args:
        photo: UINT8 RGB [H, W, 3].
        noise: standard normal FP32 [H, W, 3].
    """
    picture = tone.flattened(tone.colours(photo), 2)
    light = tone.balanced(tone.lightness(picture), 2.0)
    strokes = hatched(noise[..., 0], 35, 12.0, 1.7)
    grain = band(noise[..., 1], 0.75)
    amount = blurred(light, 1.5) + np.float32(0.9) * tone.contours(1 - light, 1.3, 9.0, 0.01)
    cover = step(-0.7, 0.9, (amount - 0.42) * np.float32(4.2) + np.float32(0.75) * strokes + np.float32(0.65) * grain)
    stick = tone.saturated(blurred(picture, 2.0), 1.5)
    stick = stick / (stick.max(2, keepdims=True) + np.float32(0.12)) * np.float32(0.62) + stick * np.float32(0.42)
    stick += (np.float32(0.05) * soft(noise[..., 2], 2.5))[..., None]
    paper = np.broadcast_to(_PAPER, picture.shape) * (1 + np.float32(0.12) * grain)[..., None]
    return tone.pixels(tone.mixed(paper.astype(np.float32), stick, cover * np.float32(0.93)))
