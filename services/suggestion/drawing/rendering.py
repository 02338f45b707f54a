"""Rendering of a page: photos in their cells, rounded corners, prints with a white frame and a soft shadow (Pillow)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from services.suggestion.drawing.layouts import Cell, Page, PlacedPhoto

PAPER = (248, 246, 242)
TABLE = (233, 226, 215)
FRAME = (255, 255, 255)
QUALITY = 90
ROUNDING = 14
OVERSAMPLING = 2
MARGIN = 2
Pictures: TypeAlias = Mapping[str, Image.Image]
"""Upright RGB pictures by the name of their media."""


@dataclass(frozen=True)
class RenderedPage:
    """A finished picture: JPEG bytes, the layout they show, sides in pixels."""

    layout: str
    content: bytes
    width: int
    height: int


Draw: TypeAlias = Callable[[Page, Pictures], RenderedPage]
"""How a page becomes a picture."""


def draw(page: Page, pictures: Pictures) -> RenderedPage:
    """Draw a page.

    Args:
        page: what lies where.
        pictures: an upright RGB picture for each media of the page.

    Returns:
        A JPEG without any metadata.
    """
    canvas = Image.new("RGB", (page.width, page.height), TABLE if page.framed else PAPER)
    for placed in page.placed:
        picture = pictures[placed.photo.media]
        if page.framed:
            _lay_print(canvas, placed, picture)
        else:
            _lay_flat(canvas, placed, picture)
    buffer = io.BytesIO()
    canvas.save(buffer, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    return RenderedPage(page.layout, buffer.getvalue(), page.width, page.height)


def focus_of(picture: Image.Image) -> tuple[float, float]:
    """Return where the eye goes in a picture, in fractions: the centroid of its detail, drawn towards the middle.

    Args:
        picture: RGB, any size.
    """
    small = np.asarray(picture.convert("L").resize((64, 64), Image.Resampling.BOX), np.float32)
    across, down = np.abs(np.diff(small, axis=1))[:-1], np.abs(np.diff(small, axis=0))[:, :-1]
    detail = (across + down) ** 2 + 1e-3
    rows, columns = np.mgrid[0:63, 0:63] / 62.0
    total = float(detail.sum())
    x, y = float((detail * columns).sum()) / total, float((detail * rows).sum()) / total
    return 0.5 + 0.7 * (x - 0.5), 0.5 + 0.7 * (y - 0.5)


def fill(placed: PlacedPhoto, picture: Image.Image, width: int, height: int) -> Image.Image:
    """Return what a cell shows, `width` by `height` pixels: the crop, or the whole photo on a blurred backdrop."""
    if placed.crop is not None:
        crop = placed.crop
        box = (
            crop.x * picture.width,
            crop.y * picture.height,
            (crop.x + crop.width) * picture.width,
            (crop.y + crop.height) * picture.height,
        )
        return picture.resize((width, height), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    backdrop = picture.resize((max(1, width // 16), max(1, height // 16)), Image.Resampling.BOX)
    backdrop = backdrop.filter(ImageFilter.GaussianBlur(3)).resize((width, height), Image.Resampling.BICUBIC)
    whole = picture.copy()
    whole.thumbnail((width, height), Image.Resampling.LANCZOS)
    scale = min(width / picture.width, height / picture.height)
    if scale > 1:
        whole = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    backdrop.paste(whole, ((width - whole.width) // 2, (height - whole.height) // 2))
    return backdrop


def _lay_flat(canvas: Image.Image, placed: PlacedPhoto, picture: Image.Image) -> None:
    left, top, right, bottom = _edges(placed.cell)
    shown = fill(placed, picture, right - left, bottom - top)
    canvas.paste(shown, (left, top), _rounded(shown.width, shown.height))


def print_of(placed: PlacedPhoto, picture: Image.Image) -> Image.Image:
    """Return a photo as a print with a white frame, turned as its cell is: RGBA, larger than the cell."""
    cell = placed.cell
    border = round(cell.width * 0.035)
    foot = round(cell.width * 0.09)
    width, height = round(cell.width), round(cell.height)
    # Rotation smooths what is inside of a picture, not its rim: a clear margin makes the print's edge an inner one.
    card = Image.new("RGBA", (width + 2 * MARGIN, height + 2 * MARGIN), (*FRAME, 0))
    card.paste((*FRAME, 255), (MARGIN, MARGIN, MARGIN + width, MARGIN + height))
    card.paste(fill(placed, picture, width - 2 * border, height - border - foot), (MARGIN + border, MARGIN + border))
    return card.rotate(cell.turn, Image.Resampling.BICUBIC, expand=True)


def _lay_print(canvas: Image.Image, placed: PlacedPhoto, picture: Image.Image) -> None:
    cell, turned = placed.cell, print_of(placed, picture)
    x = round(cell.x + (round(cell.width) - turned.width) / 2)
    y = round(cell.y + (round(cell.height) - turned.height) / 2)
    _shade(canvas, turned, x, y)
    canvas.paste(turned, (x, y), turned.getchannel("A"))


def _shade(canvas: Image.Image, card: Image.Image, x: int, y: int) -> None:
    """Darken the canvas where the card's shadow falls: blurred, a little below it."""
    pad = 40
    mask = Image.new("L", (card.width + 2 * pad, card.height + 2 * pad), 0)
    mask.paste(card.getchannel("A").point(lambda alpha: alpha * 90 // 255), (pad, pad))
    mask = mask.filter(ImageFilter.GaussianBlur(14))
    canvas.paste(Image.new("RGB", mask.size, (60, 45, 30)), (x - pad + 4, y - pad + 12), mask)


def _edges(cell: Cell) -> tuple[int, int, int, int]:
    return round(cell.x), round(cell.y), round(cell.x + cell.width), round(cell.y + cell.height)


def _rounded(width: int, height: int) -> Image.Image:
    scale = OVERSAMPLING
    mask = Image.new("L", (width * scale, height * scale), 0)
    edges = (0, 0, width * scale - 1, height * scale - 1)
    ImageDraw.Draw(mask).rounded_rectangle(edges, ROUNDING * scale, fill=255)
    return mask.resize((width, height), Image.Resampling.BOX)
