import io

import numpy as np
from PIL import Image

from services.suggestion.domain.geometry import Box
from services.suggestion.domain.suggestions import Kind
from services.suggestion.drawing.layouts import Cell, Page, PlacedPhoto
from services.suggestion.drawing.pages import pages
from services.suggestion.drawing.rendering import draw, focus_of, print_of
from tests.unit.suggestion.photos import photo, series

RED, GREEN = (220, 30, 30), (30, 200, 30)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_a_drawn_page_is_a_jpeg_of_its_size_without_metadata() -> None:
    shots = series(3)
    page = pages(Kind.COLLAGE, shots)[0]
    picture = opened(draw(page, {shot.media: Image.new("RGB", (160, 120), RED) for shot in shots}).content)
    assert (picture.format, picture.size) == ("JPEG", (page.width, page.height))
    assert "exif" not in picture.info


def test_each_photo_is_drawn_in_its_cell() -> None:
    left, right = photo("l"), photo("r")
    whole = Box(0, 0, 1, 1)
    page = Page(
        "test",
        400,
        200,
        (PlacedPhoto(left, Cell(0, 0, 200, 200), whole), PlacedPhoto(right, Cell(200, 0, 200, 200), whole)),
    )
    pictures = {"media/l": Image.new("RGB", (40, 40), RED), "media/r": Image.new("RGB", (40, 40), GREEN)}
    drawn = opened(draw(page, pictures).content)
    assert near(drawn.getpixel((100, 100)), RED)
    assert near(drawn.getpixel((300, 100)), GREEN)


def test_a_crop_shows_its_part_of_the_photo() -> None:
    halves = Image.new("RGB", (200, 100), RED)
    halves.paste(GREEN, (100, 0, 200, 100))
    page = Page("test", 100, 100, (PlacedPhoto(photo("h"), Cell(0, 0, 100, 100), Box(0.5, 0, 0.5, 1)),))
    assert near(opened(draw(page, {"media/h": halves}).content).getpixel((50, 50)), GREEN)


def test_a_photo_that_fits_no_crop_is_shown_whole() -> None:
    wide = Image.new("RGB", (400, 100), RED)
    wide.paste(GREEN, (0, 0, 40, 100))
    page = Page("test", 100, 100, (PlacedPhoto(photo("w"), Cell(0, 0, 100, 100), None),))
    drawn = opened(draw(page, {"media/w": wide}).content)
    assert near(drawn.getpixel((3, 50)), GREEN)
    assert near(drawn.getpixel((95, 50)), RED)


def test_the_edge_of_a_turned_print_is_smooth() -> None:
    placed = PlacedPhoto(photo("p"), Cell(0, 0, 300, 200, turn=3.0), Box(0, 0, 1, 1))
    clear = np.asarray(print_of(placed, Image.new("RGB", (300, 200), RED)).getchannel("A")) / 255.0
    # Between clear and opaque lies, in each column, a pixel that is partly both, but where the edge meets the grid.
    columns = clear[:, 20:-20]
    assert np.mean(((columns > 0.05) & (columns < 0.95)).any(axis=0)) > 0.9
    assert columns.max(axis=0).min() == 1.0


def test_the_eye_goes_where_the_detail_is() -> None:
    picture = Image.new("RGB", (300, 100), (128, 128, 128))
    for x in range(220, 280, 4):
        picture.paste((255, 255, 255), (x, 30, x + 2, 70))
    assert focus_of(picture)[0] > 0.6


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(one - other) < 24 for one, other in zip(pixel, colour, strict=True))
