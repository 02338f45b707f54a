"""Files as decoders want them: untidy ones open to the picture that they show, and those cut short do not."""

import io

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.picture_files.openable import lacks_rows, openable
from services.picture_files.png import MAX_UNPACKED, sound_png
from tests.unit.ingest.pictures import KINDS, exif_block, image, picture, png_chunk, progressive_jpeg
from tests.unit.ingest.untidy import UNTIDY, plain, png_with

pillow_heif.register_heif_opener()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(openable(data))).convert("RGB")


@pytest.mark.parametrize("name", UNTIDY)
def test_an_untidy_picture_opens_to_what_it_shows(name: str) -> None:
    assert not lacks_rows(UNTIDY[name], openable(UNTIDY[name]))
    assert np.array_equal(np.asarray(opened(UNTIDY[name])), np.asarray(plain(name)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_tidy_picture_is_left_as_it_is(kind: str) -> None:
    data = picture(kind, 64, 48, exif=exif_block("2026:02:03 04:05:06"))
    assert openable(data) is data


def test_sound_side_information_of_a_png_stays() -> None:
    texts = png_chunk(b"tEXt", b"Title\0sea") + png_chunk(b"zTXt", b"t\0\0" + b"x\x9c\x03\0\0\0\0\x01")
    data = png_with(texts, png_chunk(b"gAMA", b"\0\0\xb1\x8f"), png_chunk(b"pHYs", b"\0"))
    sound = sound_png(data)
    assert texts in sound
    assert b"gAMA" in sound
    assert b"pHYs" not in sound


def test_a_text_of_just_the_longest_length_stays() -> None:
    fits, exceeds = (png_with(png_chunk(b"tEXt", b"t\0" + b"x" * (MAX_UNPACKED + more))) for more in (0, 1))
    assert sound_png(fits) is fits
    assert b"tEXt" not in sound_png(exceeds)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_jpeg_cut_short_lacks_rows(mode: str, options: dict[str, object], share: float) -> None:
    buffer = io.BytesIO()
    image(320, 240).convert(mode).save(buffer, "JPEG", quality=85, **options)
    whole = buffer.getvalue()
    cut = whole[: int(len(whole) * share)]
    assert lacks_rows(cut, openable(cut))
    assert not lacks_rows(whole[:-2], openable(whole[:-2]))


def test_a_jpeg_that_no_decoder_opens_lacks_rows() -> None:
    broken = progressive_jpeg(64, 48).replace(b"\xff\xdb", b"\xff\xfe")[:-2]
    assert lacks_rows(broken, openable(broken))


@given(data=st.binary(max_size=400), kind=st.sampled_from(sorted(KINDS)), kept=st.integers(0, 600))
@settings(max_examples=200, deadline=None)
def test_no_exception_leaves_it_whatever_the_file(data: bytes, kind: str, kept: int) -> None:
    assert isinstance(openable(picture(kind)[:kept] + data), bytes)
