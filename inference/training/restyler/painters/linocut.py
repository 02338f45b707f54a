"""Linocut: black ink on paper, light carved out of it with a gouge that follows the forms."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.painters import tone
from inference.training.restyler.painters.direction import along_forms, drawn_out
from inference.training.restyler.painters.grain import band, blurred, step

_PAPER: Final = np.array([0.95, 0.92, 0.85], np.float32)
_INK: Final = np.array([0.07, 0.065, 0.085], np.float32)


def paint(photo: NDArray[np.uint8], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Print a photo from carved lino.

    Args:
        photo: UINT8 RGB [H, W, 3].
        noise: standard normal FP32 [H, W, 3].
    """
    light = tone.balanced(tone.lightness(tone.flattened(tone.colours(photo), 3)), 2.5)
    angle = along_forms(light, 7.0, 8.0)
    gouged = drawn_out(band(noise[..., 0], 1.5), angle, 14)
    smooth = blurred(light, 1.0)
    local = smooth - blurred(smooth, 12.0)
    plate = (smooth - 0.5) * np.float32(1.5) + local * np.float32(0.9) + np.float32(0.21) * gouged
    inked = 1 - step(-0.05, 0.05, plate - tone.contours(light, 1.4, 14.0, 0.02) * np.float32(0.9))
    inked *= 1 - np.float32(0.8) * step(2.3, 2.9, band(noise[..., 1], 0.9))
    paper = np.broadcast_to(_PAPER, (*light.shape, 3)).astype(np.float32)
    return tone.pixels(tone.mixed(paper, np.broadcast_to(_INK, paper.shape), inked))
