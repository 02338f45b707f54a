"""Pages of an idea: the layouts that lose least, each of another kind."""

from __future__ import annotations

from collections.abc import Sequence

from services.suggestion.domain.geometry import Box
from services.suggestion.domain.photos import Photo
from services.suggestion.domain.suggestions import Kind
from services.suggestion.drawing import layouts
from services.suggestion.drawing.layouts import Focus, Page

WIDTH = 1600
GAP = 16.0
TURNS = (2.4, -1.8, -2.6, 1.9, 1.4, -2.2)
MAX_PHOTOS = 9
RENDITIONS = {Kind.COLLAGE: 3, Kind.THEME: 2}
MOSAIC_LOSS = 0.12
PRINTS_LOSS = 0.03
LEFT_OUT_LOSS = 0.05


def pages(kind: Kind, photos: Sequence[Photo], focus: Focus = layouts.centre) -> list[Page]:
    """Return the pages of an idea, the best first.

    A collage gets three, each in another layout; a theme two; a gem is shown alone; a tidy-up as a contact sheet.

    Args:
        kind: kind of idea.
        photos: in the order to show them; at most 9 are shown.
        focus: where the eye goes in a photo.
    """
    shown = list(photos[:MAX_PHOTOS])
    if kind is Kind.TIDY_UP:
        return [_contact_sheet(shown, focus)]
    if len(shown) == 1:
        return [_single(shown[0])]
    found = [(page, loss + LEFT_OUT_LOSS * (len(shown) - len(page.placed))) for page, loss in _candidates(shown, focus)]
    ranked = [page for page, _ in sorted(found, key=lambda pair: (pair[1], pair[0].layout))]
    return ranked[: RENDITIONS.get(kind, 1)]


def _candidates(photos: Sequence[Photo], focus: Focus) -> list[tuple[Page, float]]:
    found = [(layouts.mosaic(photos, WIDTH, GAP, 1.25), MOSAIC_LOSS)]
    count = len(photos)
    prints = list(photos[:6])
    found.append(
        _in_cells("prints", prints, layouts.prints_cells(len(prints), 1600, 2000, TURNS), focus, extra=PRINTS_LOSS)
    )
    hero = list(photos[:5])
    found.append(_in_cells("hero", hero, layouts.hero_cells(len(hero), 1600, 2000, GAP), focus))
    found.append(_in_cells("side", hero, layouts.side_cells(len(hero), 1800, 1440, GAP), focus))
    for columns, rows in ((3, 3), (2, 3), (2, 2)):
        if count >= columns * rows:
            size = layouts.LAYOUT_SIZES["prints" if rows > columns else "grid"]
            cells = layouts.grid_cells(columns, rows, *size, GAP)
            found.append(_in_cells("grid", list(photos[: columns * rows]), cells, focus))
            break
    return found


def _in_cells(
    layout: str, photos: Sequence[Photo], cells: Sequence[layouts.Cell], focus: Focus, *, extra: float = 0.0
) -> tuple[Page, float]:
    page, loss = layouts.fixed(
        layout, cells, photos, layouts.LAYOUT_SIZES[_size_of(layout, cells)], focus, framed=layout == "prints"
    )
    return page, loss + extra


def _size_of(layout: str, cells: Sequence[layouts.Cell]) -> str:
    return "prints" if layout == "grid" and len(cells) == 6 else layout


def _single(photo: Photo) -> Page:
    """Show one photo whole, as a framed print."""
    width = WIDTH if photo.aspect >= 0.8 else 1440
    inner = width - 2 * 60
    height = round(inner / photo.aspect)
    placed = layouts.PlacedPhoto(photo, layouts.Cell(60, 60, inner, height), Box(0, 0, 1, 1))
    return Page("single", width, height + 120, (placed,))


def _contact_sheet(photos: Sequence[Photo], focus: Focus) -> Page:
    columns = 3 if len(photos) > 4 else 2
    rows = -(-len(photos) // columns)
    cells = layouts.grid_cells(columns, rows, WIDTH, round(WIDTH / columns * rows), GAP)
    placed = tuple(
        layouts.PlacedPhoto(photo, cell, layouts.crop_for(photo, cell.aspect, focus(photo)))
        for photo, cell in zip(photos, cells, strict=False)
    )
    return Page("sheet", WIDTH, round(WIDTH / columns * rows), placed)
