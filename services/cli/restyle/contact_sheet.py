"""Sheet of pictures, each with its name below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import font_source_sans_pro
from PIL import Image, ImageDraw, ImageFont

COLUMNS = 3
CELL = 384
GAP = 12
LABEL = 30
_INK, _PAPER = (32, 32, 32), (250, 250, 248)


def contact_sheet(pictures: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Return a sheet, three pictures in a row.

    Args:
        pictures: name and picture; each is shrunk to its cell, which is as high as the highest.
    """
    small = [(name, _shrunk(picture)) for name, picture in pictures]
    height = max(picture.height for _, picture in small) + LABEL
    rows = -(-len(small) // COLUMNS)
    size = (GAP + min(len(small), COLUMNS) * (CELL + GAP), GAP + rows * (height + GAP))
    sheet = Image.new("RGB", size, _PAPER)
    draw, font = ImageDraw.Draw(sheet), _font()
    for number, (name, picture) in enumerate(small):
        row, column = divmod(number, COLUMNS)
        left, top = GAP + column * (CELL + GAP), GAP + row * (height + GAP)
        sheet.paste(picture, (left + (CELL - picture.width) // 2, top))
        draw.text((left + CELL / 2, top + height - LABEL / 2), name, _INK, font, anchor="mm")
    return sheet


def _shrunk(picture: Image.Image) -> Image.Image:
    small = picture.copy()
    small.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
    return small


def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        str(Path(font_source_sans_pro.__file__).parent / "files" / "SourceSansPro-Regular.ttf"), 20
    )
