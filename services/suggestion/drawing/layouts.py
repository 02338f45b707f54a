"""Layouts of a page: where the cells are, which photo goes where, and what part of it is shown.

Everything is in pixels of the page. A crop never cuts a face: a photo whose faces do not fit a cell's shape is shown
whole in it, on a blurred backdrop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product

from services.suggestion.domain.geometry import Box, union
from services.suggestion.domain.photos import Photo

FACE_MARGIN = 0.35
EXHAUSTIVE = 6
WHOLE_PENALTY = 0.8


@dataclass(frozen=True)
class Cell:
    """A rectangle of the page in pixels; `turn` in degrees, counter-clockwise."""

    x: float
    y: float
    width: float
    height: float
    turn: float = 0.0

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height


@dataclass(frozen=True)
class PlacedPhoto:
    """A photo in a cell. `crop` is the part shown, in fractions; nothing if the whole is shown on a backdrop."""

    photo: Photo
    cell: Cell
    crop: Box | None


@dataclass(frozen=True)
class Page:
    """A finished layout: sides in pixels, and what lies where."""

    layout: str
    width: int
    height: int
    placed: tuple[PlacedPhoto, ...]
    framed: bool = False


Focus = Callable[[Photo], tuple[float, float]]


def centre(_: Photo) -> tuple[float, float]:
    """Return the middle: the focus of a photo that nothing more is known of."""
    return 0.5, 0.5


def crop_for(photo: Photo, aspect: float, focus: tuple[float, float] = (0.5, 0.5)) -> Box | None:
    """Return the largest part of a photo with the aspect asked for that holds every face with a margin.

    Args:
        photo: the photo.
        aspect: width over height of the cell.
        focus: where the eye goes in a photo without faces, in fractions.

    Returns:
        The part in fractions of the photo; nothing if the faces do not fit.
    """
    ratio = aspect / photo.aspect
    width, height = (1.0, 1 / ratio) if ratio >= 1 else (ratio, 1.0)
    keep = union([face.grown(FACE_MARGIN) for face in photo.faces])
    if keep is None:
        return Box(_slide(focus[0], width, None), _slide(focus[1], height, None), width, height)
    if keep.width > width or keep.height > height:
        keep = union(list(photo.faces))
    if keep is None or keep.width > width or keep.height > height:
        return None
    # Heads sit best on the upper third: aim a little below the faces' middle.
    aim = keep.y + keep.height / 2 + height * 0.12
    return Box(
        _slide(keep.x + keep.width / 2, width, (keep.x, keep.x + keep.width)),
        _slide(aim, height, (keep.y, keep.y + keep.height)),
        width,
        height,
    )


def assign(
    photos: Sequence[Photo], cells: Sequence[Cell], focus: Focus = centre
) -> tuple[tuple[PlacedPhoto, ...], float]:
    """Put photos into cells so that as little as possible is cropped away; return them and the mean loss, 0 to 1.

    The first cell is the most prominent one: a better photo, earlier in `photos`, costs less there.
    """
    losses = [[_loss(photo, cell) for cell in cells] for photo in photos]
    orders = permutations(range(len(photos))) if len(photos) <= EXHAUSTIVE else [_greedy(losses)]
    best = min(orders, key=lambda order: _cost(losses, order))
    placed = tuple(
        PlacedPhoto(photos[index], cell, crop_for(photos[index], cell.aspect, focus(photos[index])))
        for index, cell in zip(best, cells, strict=True)
    )
    return placed, _cost(losses, best) / len(cells)


def mosaic(photos: Sequence[Photo], width: int, gap: float, target: float, focus: Focus = centre) -> Page:
    """Lay photos out in justified rows, in order and uncropped; the rows' breaks bring the page near `target`.

    Args:
        photos: two or more.
        width: of the page in pixels.
        gap: between photos and around them, in pixels.
        target: height over width that is aimed at.
        focus: not used; every photo is shown whole.
    """
    rows = min(
        _row_breaks(photos), key=lambda rows: abs(_rows_height(rows, width, gap) / width - target) + _ragged(rows)
    )
    cells: list[PlacedPhoto] = []
    y = gap
    for row in rows:
        height = _row_height(row, width, gap)
        x = gap
        for photo in row:
            cells.append(PlacedPhoto(photo, Cell(x, y, height * photo.aspect, height), Box(0, 0, 1, 1)))
            x += height * photo.aspect + gap
        y += height + gap
    return Page("mosaic", width, round(y), tuple(cells))


def fixed(
    layout: str,
    cells: Sequence[Cell],
    photos: Sequence[Photo],
    size: tuple[int, int],
    focus: Focus,
    *,
    framed: bool = False,
) -> tuple[Page, float]:
    """Lay photos out in given cells; return the page and the mean loss."""
    placed, loss = assign(photos, cells, focus)
    return Page(layout, *size, placed, framed), loss


def hero_cells(count: int, width: int, height: int, gap: float) -> list[Cell]:
    """Return one large cell above a row of `count - 1` equal ones (2 to 5 photos in all)."""
    small = count - 1
    share = 0.66 if small <= 3 else 0.72
    top = (height - 3 * gap) * share
    bottom = height - 3 * gap - top
    side = (width - (small + 1) * gap) / small
    row = [Cell(gap + index * (side + gap), 2 * gap + top, side, bottom) for index in range(small)]
    return [Cell(gap, gap, width - 2 * gap, top), *row]


def side_cells(count: int, width: int, height: int, gap: float) -> list[Cell]:
    """Return one tall cell beside a column of `count - 1` equal ones."""
    small = count - 1
    left = (width - 3 * gap) * 0.62
    right = width - 3 * gap - left
    side = (height - (small + 1) * gap) / small
    column = [Cell(2 * gap + left, gap + index * (side + gap), right, side) for index in range(small)]
    return [Cell(gap, gap, left, height - 2 * gap), *column]


def grid_cells(columns: int, rows: int, width: int, height: int, gap: float) -> list[Cell]:
    """Return equal cells, row by row."""
    side, tall = (width - (columns + 1) * gap) / columns, (height - (rows + 1) * gap) / rows
    return [
        Cell(gap + column * (side + gap), gap + row * (tall + gap), side, tall)
        for row, column in product(range(rows), range(columns))
    ]


def prints_cells(count: int, width: int, height: int, turns: Sequence[float]) -> list[Cell]:
    """Return overlapping, slightly turned prints in two columns, as laid out on a table."""
    rows = -(-count // 2)
    side, tall = width * 0.47, height / rows * 0.93
    cells = []
    for index in range(count):
        row, column = divmod(index, 2)
        alone = index == count - 1 and count % 2 == 1
        x = (width - side) / 2 if alone else width * (0.045 if column == 0 else 0.485)
        shift = (0.0 if column == 0 else 0.035) * height / rows
        cells.append(
            Cell(x, row * height / rows + height * 0.015 + shift, side, tall - shift, turns[index % len(turns)])
        )
    return cells


def _slide(aim: float, size: float, keep: tuple[float, float] | None) -> float:
    """Return where a window of a size begins that is centred on the aim, inside 0..1, and covers `keep`."""
    start = min(max(aim - size / 2, 0.0), 1.0 - size)
    if keep is not None:
        start = min(max(start, keep[1] - size), keep[0])
    return min(max(start, 0.0), 1.0 - size)


def _loss(photo: Photo, cell: Cell) -> float:
    crop = crop_for(photo, cell.aspect)
    return WHOLE_PENALTY if crop is None else 1.0 - crop.width * crop.height


def _cost(losses: Sequence[Sequence[float]], order: Sequence[int]) -> float:
    prominence = 0.05 * order[0] / max(1, len(losses) - 1)
    return prominence + sum(losses[index][cell] for cell, index in enumerate(order))


def _greedy(losses: Sequence[Sequence[float]]) -> tuple[int, ...]:
    left, order = list(range(len(losses))), list[int]()
    for cell in range(len(losses)):
        best = min(left, key=lambda index: (losses[index][cell], index))
        left.remove(best)
        order.append(best)
    return tuple(order)


def _row_breaks(photos: Sequence[Photo]) -> list[list[list[Photo]]]:
    """Return every way to break photos into rows of one to four."""
    found = []
    for breaks in product((False, True), repeat=len(photos) - 1):
        rows = [[photos[0]]]
        for photo, breaks_here in zip(photos[1:], breaks, strict=True):
            rows.append([photo]) if breaks_here else rows[-1].append(photo)
        if all(len(row) <= 4 for row in rows):
            found.append(rows)
    return found


def _row_height(row: Sequence[Photo], width: int, gap: float) -> float:
    return (width - gap * (len(row) + 1)) / sum(photo.aspect for photo in row)


def _rows_height(rows: Sequence[Sequence[Photo]], width: int, gap: float) -> float:
    return gap + sum(_row_height(row, width, gap) + gap for row in rows)


def _ragged(rows: Sequence[Sequence[Photo]]) -> float:
    """Return a penalty for rows of very different heights: a page of one giant and many stamps is no collage."""
    heights = [1 / sum(photo.aspect for photo in row) for row in rows]
    return 0.15 * (max(heights) / min(heights) - 1)


LAYOUT_SIZES: Mapping[str, tuple[int, int]] = {
    "hero": (1600, 2000),
    "side": (1800, 1440),
    "grid": (1600, 1600),
    "prints": (1600, 2000),
}
