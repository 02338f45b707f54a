"""What is transparent is white, in previews, thumbnails and reduced copies, at every size."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from services.analysis.vision.decoding import Limits, prepare_decoders
from services.analysis.vision.stages import decode_picture, measure
from services.cli.photos import roll
from tests.unit.picture_files.colour_files import encoded, png_of

Rgb = NDArray[np.uint8]
Ways = Callable[[bytes], dict[str, Rgb]]
SMALL, LARGE = (120, 80), (2400, 1600)
RED = (220, 30, 30)


def disc(size: tuple[int, int]) -> Image.Image:
    """Return a red disc on nothing; black is beneath what is transparent."""
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    width, height = size
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, 3 * width // 4, 3 * height // 4), fill=(*RED, 255))
    return image


def palette(size: tuple[int, int]) -> bytes:
    picture = disc(size)
    indices = picture.getchannel("A").point(lambda alpha: 1 if alpha else 0)
    image = Image.frombytes("P", size, indices.tobytes())
    image.putpalette([0, 0, 0, *RED])
    return encoded(image, "PNG", transparency=0)


def numbers(size: tuple[int, int], depth: int, colour: int, transparent: int) -> bytes:
    """Return a PNG whose transparent number (`tRNS`) is given; the disc has the largest one."""
    inside = np.asarray(disc(size).getchannel("A")) > 0
    gray: NDArray[np.uint16] = np.where(inside, 2**depth - 1, transparent).astype(np.uint16)
    rows = gray if colour == 0 else np.stack([gray, gray // 2 + transparent // 2, gray // 2 + transparent // 2], -1)
    beneath = np.asarray(rows[0, 0], ">u2").tobytes()
    return png_of(np.asarray(rows, np.uint16), depth, colour, (b"tRNS", beneath))


FILES: dict[str, Callable[[tuple[int, int]], bytes]] = {
    "RGBA": lambda size: encoded(disc(size), "PNG"),
    "RGBA WebP": lambda size: encoded(disc(size), "WEBP"),
    "RGBA AVIF": lambda size: encoded(disc(size), "AVIF"),
    "RGBA HEIC": lambda size: encoded(disc(size), "HEIF"),
    "LA": lambda size: encoded(disc(size).convert("LA"), "PNG"),
    "palette": palette,
    "gray on 1 bit": lambda size: numbers(size, 1, 0, 0),
    "gray on 2 bits": lambda size: numbers(size, 2, 0, 1),
    "gray on 4 bits": lambda size: numbers(size, 4, 0, 5),
    "gray on 8 bits": lambda size: numbers(size, 8, 0, 77),
    "gray on 16 bits": lambda size: numbers(size, 16, 0, 20_001),
    "RGB on 8 bits": lambda size: numbers(size, 8, 2, 60),
    "RGB on 16 bits": lambda size: numbers(size, 16, 2, 20_001),
}


@pytest.fixture
def shown(tmp_path: Path) -> Ways:
    """Return what every way shows of a file."""

    def show(data: bytes) -> dict[str, Rgb]:
        prepare_decoders()
        roll.register_formats()
        decoded = decode_picture(data, Limits())
        measures = measure(decoded)
        path = tmp_path / "picture"
        path.write_bytes(data)
        return {"decoded": decoded.picture} | {
            name: np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), np.uint8)
            for name, jpeg in {
                "preview": measures.screen,
                "thumbnail": measures.thumbnail,
                "reduced copy": roll.reduce(path, 2048, with_position=False),
            }.items()
        }

    return show


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("name", FILES)
def test_what_is_transparent_is_white(name: str, size: tuple[int, int], shown: Ways) -> None:
    ways = shown(FILES[name](size))
    corners = {way: int(picture[[0, 0, -1, -1], [0, -1, 0, -1]].min()) for way, picture in ways.items()}
    assert {way: least >= 250 for way, least in corners.items()} == dict.fromkeys(ways, True)


@pytest.mark.parametrize("name", ["RGBA", "RGBA WebP", "palette"])
def test_what_is_opaque_keeps_its_colour(name: str, shown: Ways) -> None:
    for picture in shown(FILES[name](LARGE)).values():
        middle = picture[picture.shape[0] // 2, picture.shape[1] // 2].astype(int)
        assert np.abs(middle - RED).max() <= 8


def test_what_is_half_transparent_is_half_white(shown: Ways) -> None:
    for picture in shown(encoded(Image.new("LA", SMALL, (0, 128)), "PNG")).values():
        assert abs(int(picture[40, 60, 1]) - 127) <= 3
