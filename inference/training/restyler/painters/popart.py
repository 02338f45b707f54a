"""Pop art: flat printers' colours, black outlines, and Ben Day dots where a shade lies between two of them."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.painters import tone
from inference.training.restyler.painters.grain import Field, step

SCREEN_PERIOD: Final = 8
"""The printer's screen repeats after so many pixels down and across; crops have to begin on a multiple of it."""

_BORDERS: Final = np.array([14, 43, 64, 168, 252, 300, 345], np.float32)
_HUES: Final = np.array([2, 27, 52, 118, 210, 275, 325, 2], np.float32)
"""The hues of the press, in degrees, and where one gives way to the next."""

_INK: Final = np.array([0.06, 0.05, 0.09], np.float32)


def screen(height: int, width: int) -> Field:
    """Return the printer's screen: hills of dots at 45 degrees, between -1 and 1, FP32 [height, width]."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = np.float32(2 * np.pi / SCREEN_PERIOD)
    return np.asarray((np.cos((columns + rows) * turn) + np.cos((columns - rows) * turn)) / 2, np.float32)


def paint(photo: NDArray[np.uint8], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Print a photo as a comic.

    Args:
        photo: UINT8 RGB [H, W, 3].
        noise: standard normal FP32 [H, W, 3]; not used, a press leaves nothing to chance.
    """
    picture = tone.flattened(tone.colours(photo), 4, 6.0, 0.13)
    light = tone.balanced(tone.lightness(picture), 2.0)
    painting = _inks(picture, light)
    black = np.maximum(tone.contours(light, 1.5, 20.0, 0.018), 1 - step(0.15, 0.21, light))
    return tone.pixels(tone.mixed(painting, np.broadcast_to(_INK, painting.shape), black))


def _inks(picture: tone.Colours, light: Field) -> tone.Colours:
    hsv = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV), np.float32)
    grey = 1 - step(0.16, 0.36, hsv[..., 1])
    hue = _HUES[np.searchsorted(_BORDERS, hsv[..., 0])]
    full = cv2.cvtColor(np.stack([hue, np.full_like(hue, 0.86), np.full_like(hue, 0.97)], 2), cv2.COLOR_HSV2RGB)
    full = tone.mixed(
        full, np.broadcast_to(np.array([0.93, 0.93, 0.9], np.float32), full.shape), grey * step(0.45, 0.6, light)
    )
    full = tone.mixed(
        full, np.broadcast_to(np.array([0.45, 0.62, 0.86], np.float32), full.shape), grey * (1 - step(0.45, 0.6, light))
    )
    deep, pale = full * np.float32(0.55), 1 - (1 - full) * np.float32(0.35)
    dots = screen(*light.shape)
    in_light = step(-0.12, 0.12, dots - (1.1 - 2.6 * step(0.5, 0.95, light)))
    in_shade = step(-0.12, 0.12, dots - (1.1 - 2.6 * (1 - step(0.12, 0.5, light))))
    return tone.mixed(tone.mixed(full, pale, in_light), deep, in_shade)
