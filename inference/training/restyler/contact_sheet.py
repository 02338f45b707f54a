"""Lays held-out photos and their paintings side by side: a photo a row, a style a column, no words."""

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.served import Studio
from inference.training.restyler.styles import STYLES

_GAP: Final = 6
_PAPER: Final = 255


def cut(picture: NDArray[np.uint8], centre: tuple[float, float], side: int) -> NDArray[np.uint8]:
    """Return a square around a centre, in parts of width and height, moved inwards where it would leave the picture."""
    height, width = picture.shape[:2]
    side = min(side, height, width)
    left = int(np.clip(centre[0] * width - side / 2, 0, width - side))
    top = int(np.clip(centre[1] * height - side / 2, 0, height - side))
    return picture[top : top + side, left : left + side]


def laid_out(rows: Sequence[Sequence[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """Squares of one size in rows, with a gap of white between them."""
    side = rows[0][0].shape[0]
    pitch = side + _GAP
    sheet = np.full((len(rows) * pitch - _GAP, len(rows[0]) * pitch - _GAP, 3), _PAPER, np.uint8)
    for down, row in enumerate(rows):
        for across, square in enumerate(row):
            sheet[down * pitch : down * pitch + side, across * pitch : across * pitch + side] = square
    return sheet


def contact_sheet(
    studio: Studio,
    photos: Mapping[str, NDArray[np.uint8]],
    centres: Mapping[str, tuple[float, float]],
    *,
    side: int,
    square: int,
) -> NDArray[np.uint8]:
    """Paints whole photos and shows a square of each.

    Args:
        studio: the network, as served.
        photos: by name, UINT8 RGB, 512 pixels long.
        centres: of the squares, by the photo's name; the order of the rows.
        side: of the square that is shown, in pixels of the painting.
        square: what it is brought to on the sheet, in pixels.
    """
    rows = []
    for seed, (name, centre) in enumerate(centres.items()):
        photo = photos[name]
        pictures = [photo, *(studio.paint(photo, style, seed=seed) for style in STYLES)]
        rows.append([_shown(cut(picture, centre, side), square) for picture in pictures])
    return laid_out(rows)


def _shown(part: NDArray[np.uint8], square: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(part, (square, square), interpolation=cv2.INTER_AREA), np.uint8)
