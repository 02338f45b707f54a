"""One orientation: what a phone tells of a picture, preview, thumbnail and reduced copy agree, whatever says it."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.analysis.vision.decoding import Limits, prepare_decoders
from services.analysis.vision.stages import decode_picture, measure
from services.cli.photos import roll
from services.picture_files.orientation import orientation_of, turn_upright
from tests.unit.ingest.pictures import exif_block
from tests.unit.picture_files import turned_files as files

Rgb = NDArray[np.uint8]


def opened(data: bytes) -> Rgb:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.uint8)


def is_upright(picture: Rgb) -> bool:
    """Whether it has its sides, and its corners have their colours."""
    height, width = picture.shape[:2]
    rows, columns = [height // 4, 3 * height // 4], [width // 4, 3 * width // 4]
    corners = picture[np.ix_(rows, columns)].reshape(4, 3).astype(int)
    return (width, height) == files.SIZE and bool(np.abs(corners - np.array(files.CORNERS)).max() < 60)


def previews(data: bytes) -> dict[str, Rgb]:
    prepare_decoders()
    decoded = decode_picture(data, Limits())
    measures = measure(decoded)
    return {
        "decoded": decoded.picture,
        "preview": opened(measures.screen),
        "thumbnail": opened(measures.thumbnail),
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    roll.register_formats()
    return tmp_path / "picture"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("said", files.SAID)
def test_previews_are_upright(said: str, orientation: int) -> None:
    shown = previews(files.SAID[said](orientation))
    assert {name: is_upright(picture) for name, picture in shown.items()} == dict.fromkeys(shown, True)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("said", files.SAID)
def test_the_phone_tells_the_upright_sides_and_sends_copies_that_stand_upright(
    said: str, orientation: int, path: Path
) -> None:
    path.write_bytes(files.SAID[said](orientation))
    header = roll.read_header(path)
    assert (header.width, header.height) == files.SIZE
    copy = roll.reduce(path, 2048, with_position=False)
    shown = previews(copy)
    assert {name: is_upright(picture) for name, picture in shown.items()} == dict.fromkeys(shown, True)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_are_turned_as_the_orientation_says(orientation: int) -> None:
    assert is_upright(np.asarray(turn_upright(files.stored(orientation), orientation), np.uint8))


@pytest.mark.parametrize(
    ("kind", "count", "value"),
    [(1, 1, b"\6"), (2, 2, b"6\0"), (3, 1, b"\0\6"), (3, 2, b"\0\6\0\1"), (4, 1, b"\0\0\0\6"), (7, 1, b"\6")],
    ids=["BYTE", "ASCII", "SHORT", "two", "LONG", "UNDEFINED"],
)
def test_an_orientation_of_another_type_is_understood(kind: int, count: int, value: bytes) -> None:
    assert orientation_of(files.typed_exif(kind, count, value), None) == 6


@pytest.mark.parametrize(
    ("exif", "xmp"),
    [
        (None, None),
        (b"nonsense", b"<x"),
        (exif_block(orientation=0), files.xmp(9)),
        (b"MM\0*\0\0\0\x08\xff\xff", files.xmp(0)),
        (None, files.xmp(6).replace(b'"6"', b'"sideways"')),
        (None, files.xmp(6).replace(b'"6"', '"\u0666"'.encode())),
    ],
)
def test_what_is_no_orientation_is_upright(exif: bytes | None, xmp: bytes | None) -> None:
    assert orientation_of(exif, xmp) == 1


def test_a_thumbnails_orientation_is_not_the_pictures() -> None:
    tags = Image.Exif()
    tags.load(exif_block("2026:02:03 04:05:06"))
    tags.get_ifd(1)[0x0112] = 6
    assert orientation_of(tags.tobytes(), None) == 1
