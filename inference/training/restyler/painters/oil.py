"""Oil: a broad brush and, for details, a fine one; strokes follow the forms, and thick paint catches the light."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.painters import tone
from inference.training.restyler.painters.direction import along_forms, slopes
from inference.training.restyler.painters.grain import Field, blurred, seeds, soft, step

_ANGLES: Final = 48
_VIVID: Final = 1.3


@dataclass(frozen=True)
class Brush:
    """One brush.

    Attributes:
        length: half a stroke's length, in pixels.
        width: half its width.
        spacing: the distance between strokes.
        need: how far the canvas may be from the photo before this brush is taken up; 0 paints everywhere.
    """

    length: float
    width: float
    spacing: float
    need: float


_BRUSHES: Final = (Brush(14, 4.8, 6.4, 0.0), Brush(8, 2.5, 4.2, 0.15))


@dataclass(frozen=True)
class _Stamp:
    cover: Field
    ridges: Field
    reach: int


def paint(photo: NDArray[np.uint8], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Paints a photo in oil.

    Args:
        photo: UINT8 RGB [H, W, 3].
        noise: standard normal FP32 [H, W, 3].
    """
    picture = tone.saturated(tone.colours(photo), _VIVID)
    angle = along_forms(tone.lightness(picture), 8.0, -35.0)
    canvas = blurred(picture, 8) * np.float32(0.9)
    height = np.zeros(canvas.shape[:2], np.float32)
    for brush in _BRUSHES:
        _layer(canvas, height, picture, angle, noise, brush)
    return tone.pixels(_lit(canvas, height))


def _layer(
    canvas: tone.Colours, height: Field, picture: tone.Colours, angle: Field, noise: NDArray[np.float32], brush: Brush
) -> None:
    seen = blurred(picture, brush.width * 0.55)
    missing = np.abs(blurred(canvas, brush.width) - seen).max(2)
    rows, columns = seeds(noise[..., 0], brush.spacing)
    kept = missing[rows, columns] >= brush.need
    rows, columns = rows[kept], columns[kept]
    turn = np.rint(angle[rows, columns] / np.pi * _ANGLES).astype(int) % _ANGLES
    paints = seen[rows, columns] + _strays(noise, brush.spacing)[rows, columns]
    stamps = [_stamp(brush, np.pi * index / _ANGLES) for index in range(_ANGLES)]
    for row, column, index, colour in zip(rows, columns, turn, paints, strict=True):
        _press(canvas, height, stamps[index], int(row), int(column), colour)


def _strays(noise: NDArray[np.float32], spacing: float) -> tone.Colours:
    light, warm = soft(noise[..., 1], spacing * 0.3), soft(noise[..., 2], spacing * 0.3)
    return np.asarray(np.stack([0.07 * light + 0.03 * warm, 0.07 * light, 0.07 * light - 0.03 * warm], 2), np.float32)


def _stamp(brush: Brush, angle: float) -> _Stamp:
    reach = int(np.ceil(brush.length + 2))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    along = (columns * np.cos(angle) + rows * np.sin(angle)) / brush.length
    across = (rows * np.cos(angle) - columns * np.sin(angle)) / brush.width
    # Bristles end at different lengths, and carry more paint at the two edges of the brush.
    ragged = along + 0.1 * np.sin(across * 6.0)
    cover = (1 - step(0.82, 1.0, np.abs(ragged))) * (1 - step(0.8, 1.1, np.abs(across)))
    ridges = 0.6 + 0.22 * np.cos(across * 6.5) + 0.5 * across**2 + 0.15 * along
    return _Stamp((cover * 0.96).astype(np.float32), ridges.astype(np.float32), reach)


def _press(
    canvas: tone.Colours, height: Field, stamp: _Stamp, row: int, column: int, colour: NDArray[np.float32]
) -> None:
    top, left = row - stamp.reach, column - stamp.reach
    bottom, right = min(row + stamp.reach + 1, height.shape[0]), min(column + stamp.reach + 1, height.shape[1])
    upper, before = max(top, 0), max(left, 0)
    part = np.s_[upper - top : bottom - top, before - left : right - left]
    place = np.s_[upper:bottom, before:right]
    cover = stamp.cover[part]
    height[place] += cover * (stamp.ridges[part] - height[place])
    canvas[place] += cover[..., None] * (colour - canvas[place])


def _lit(canvas: tone.Colours, height: Field) -> tone.Colours:
    """Light from the upper left on the ridges of the paint."""
    right, down = slopes(height)
    shade = np.clip(-(right + down) * np.float32(0.045), -0.14, 0.2)
    return np.asarray(
        canvas * (1 + shade[..., None] * np.float32(0.9)) + np.maximum(shade, 0)[..., None] * np.float32(0.35),
        np.float32,
    )
