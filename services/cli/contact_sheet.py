"""A sheet of pictures, each with its name below."""

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
        pictures: name and picture; each is shrunk to its cell.
    """
    rows = -(-len(pictures) // COLUMNS)
    width = GAP + min(len(pictures), COLUMNS) * (CELL + GAP)
    sheet = Image.new("RGB", (width, GAP + rows * (CELL + LABEL + GAP)), _PAPER)
    draw, font = ImageDraw.Draw(sheet), _font()
    for number, (name, picture) in enumerate(pictures):
        row, column = divmod(number, COLUMNS)
        left, top = GAP + column * (CELL + GAP), GAP + row * (CELL + LABEL + GAP)
        small = picture.copy()
        small.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
        sheet.paste(small, (left + (CELL - small.width) // 2, top + (CELL - small.height) // 2))
        draw.text((left + CELL / 2, top + CELL + LABEL / 2), name, _INK, font, anchor="mm")
    return sheet


def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        str(Path(font_source_sans_pro.__file__).parent / "files" / "SourceSansPro-Regular.ttf"), 20
    )
