"""What the description of a HEIC or AVIF file says of turns and colours, held against its decoders."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from services.picture_files.heif_meta import Cicp, meta_of
from tests.unit.ingest.pictures import exif_block, picture

FORMATS = ["HEIF", "AVIF"]


def oriented(kind: str, orientation: int) -> bytes:
    """Return a file whose encoder writes an EXIF orientation as turns and mirrors."""
    return picture(kind, exif=exif_block(orientation=orientation))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_and_mirrors_come_to_an_exif_orientation(kind: str, orientation: int) -> None:
    meta = meta_of(oriented(kind, orientation))
    assert meta is not None
    assert meta.orientation == orientation
    assert meta.upright_size == ((48, 64) if orientation >= 5 else (64, 48))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_decoder_of_heic_turns_as_the_description_says(orientation: int) -> None:
    stored = Image.open(io.BytesIO(oriented("HEIF", 1))).convert("L")
    tag = Image.Exif()
    tag[0x0112] = orientation
    stored.getexif().update(tag)
    upright = np.asarray(ImageOps.exif_transpose(stored), np.int16)
    decoded = np.asarray(Image.open(io.BytesIO(oriented("HEIF", orientation))).convert("L"), np.int16)
    assert np.abs(upright - decoded).mean() < 8


@pytest.mark.parametrize("codes", [(12, 13), (9, 16), (9, 18), (1, 1)])
def test_code_points_of_colours_are_read(codes: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    primaries, transfer = codes
    image = Image.new("RGB", (16, 16), "orange")
    image.save(buffer, "HEIF", color_primaries=primaries, transfer_characteristics=transfer, matrix_coefficients=6)
    meta = meta_of(buffer.getvalue())
    assert meta is not None
    assert meta.cicp == Cicp(primaries, transfer)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_description_that_is_cut_short_or_missing_says_nothing(kind: str) -> None:
    data = picture(kind)
    assert meta_of(data[: data.index(b"ipma") + 6]) is None
    assert meta_of(data[: int.from_bytes(data[:4], "big")]) is None
    assert meta_of(b"") is None
