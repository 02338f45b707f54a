from hypothesis import given, settings
from hypothesis import strategies as st

from services.suggestion.domain.geometry import Box
from services.suggestion.domain.photos import Photo
from services.suggestion.domain.suggestions import Kind
from services.suggestion.drawing.layouts import PlacedPhoto, crop_for
from services.suggestion.drawing.pages import pages
from tests.unit.suggestion.photos import NOON, photo, series

sides = st.integers(300, 4000)
fractions = st.floats(0, 1)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    width, height = draw(st.floats(0.02, 0.6)), draw(st.floats(0.02, 0.6))
    return Box(draw(st.floats(0, 1 - width)), draw(st.floats(0, 1 - height)), width, height)


@st.composite
def photos(draw: st.DrawFn) -> list[Photo]:
    count = draw(st.integers(2, 9))
    return [
        Photo(f"media/{index}", NOON, draw(sides), draw(sides), faces=tuple(draw(st.lists(boxes(), max_size=4))))
        for index in range(count)
    ]


def holds(crop: Box, face: Box) -> bool:
    slack = 1e-6
    return (
        crop.x <= face.x + slack
        and crop.y <= face.y + slack
        and crop.x + crop.width >= face.x + face.width - slack
        and crop.y + crop.height >= face.y + face.height - slack
    )


def whole(placed: PlacedPhoto) -> bool:
    return placed.crop is None or all(holds(placed.crop, face) for face in placed.photo.faces)


@settings(max_examples=40, deadline=None)
@given(photos(), st.sampled_from(list(Kind)))
def test_no_layout_of_any_idea_cuts_a_face(shots: list[Photo], kind: Kind) -> None:
    assert all(whole(placed) for page in pages(kind, shots) for placed in page.placed)


@settings(max_examples=40, deadline=None)
@given(photos(), st.sampled_from(list(Kind)))
def test_no_photo_stands_twice_on_a_page(shots: list[Photo], kind: Kind) -> None:
    for page in pages(kind, shots):
        media = [placed.photo.media for placed in page.placed]
        assert len(media) == len(set(media))


@given(sides, sides, st.floats(0.3, 3), fractions, fractions)
def test_a_crop_has_the_shape_of_its_cell_and_lies_in_the_photo(
    width: int, height: int, aspect: float, x: float, y: float
) -> None:
    crop = crop_for(photo("a", width=width, height=height), aspect, (x, y))
    assert crop is not None
    assert abs(crop.width * width / (crop.height * height) - aspect) < 1e-6 * aspect
    assert holds(Box(0, 0, 1, 1), crop)


def test_faces_at_both_ends_are_shown_whole_instead_of_cut() -> None:
    wide = photo("a", width=3000, height=1000, faces=(Box(0.0, 0.3, 0.1, 0.3), Box(0.9, 0.3, 0.1, 0.3)))
    assert crop_for(wide, 0.8) is None


def test_a_collage_comes_in_three_layouts_of_at_least_1440_pixels() -> None:
    found = pages(Kind.COLLAGE, series(6))
    assert len({page.layout for page in found}) == 3
    assert all(max(page.width, page.height) >= 1440 and min(page.width, page.height) >= 1080 for page in found)


def test_cells_do_not_overlap_in_flat_layouts() -> None:
    for page in pages(Kind.COLLAGE, series(7)):
        if page.framed:
            continue
        cells = [placed.cell for placed in page.placed]
        for index, one in enumerate(cells):
            for other in cells[index + 1 :]:
                apart = (
                    one.x + one.width <= other.x + 1
                    or other.x + other.width <= one.x + 1
                    or one.y + one.height <= other.y + 1
                    or other.y + other.height <= one.y + 1
                )
                assert apart


def test_every_cell_lies_on_its_page() -> None:
    for page in pages(Kind.COLLAGE, series(9)):
        for placed in page.placed:
            assert placed.cell.x >= 0
            assert placed.cell.x + placed.cell.width <= page.width + 1
            assert placed.cell.y + placed.cell.height <= page.height + 1
