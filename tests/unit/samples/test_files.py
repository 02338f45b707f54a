import io
from dataclasses import replace
from datetime import datetime

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageOps

from deploy.samples.credits import Credit, catalogue
from deploy.samples.files import encoded
from deploy.samples.layout import Frame, lay_out
from deploy.samples.metadata import MARK
from deploy.samples.recipe import Format, recipe

FORMATS: tuple[Format, ...] = ("jpeg", "png", "webp", "heic")
UPRIGHT = np.zeros((48, 64, 3), np.uint8)
UPRIGHT[:24, :32] = (250, 20, 20)


@pytest.fixture(autouse=True)
def _heif() -> None:
    pillow_heif.register_heif_opener()


@pytest.fixture
def credit() -> Credit:
    return catalogue()["chelsea"]


@pytest.fixture
def frame(now: datetime) -> Frame:
    return next(frame for frame in lay_out(recipe(), now) if frame.id == "arena")


def stored(frame: Frame, form: Format, **changes: object) -> Frame:
    """Make the frame, in another format."""
    return replace(frame, shot=frame.shot.model_copy(update={"format": form, **changes}))


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("form", FORMATS)
def test_time_zone_and_phone_are_written(frame: Frame, credit: Credit, form: Format) -> None:
    exif = opened(encoded(UPRIGHT, stored(frame, form), credit)).getexif()
    capture = exif.get_ifd(ExifTags.IFD.Exif)
    assert capture[ExifTags.Base.DateTimeOriginal] == "2026:11:03 09:55:27"
    assert capture[ExifTags.Base.OffsetTimeOriginal] == "+01:00"
    assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Model]) == ("Argentique", "Argentique P1")


@pytest.mark.parametrize("form", FORMATS)
def test_the_position_can_be_read_back(frame: Frame, credit: Credit, form: Format) -> None:
    placed = replace(stored(frame, form), position=(-33.918861, 18.4233))
    gps = opened(encoded(UPRIGHT, placed, credit)).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    degrees = [
        sum(float(part) / 60**power for power, part in enumerate(gps[tag]))
        for tag in (ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLongitude)
    ]
    assert degrees == pytest.approx([33.918861, 18.4233], abs=3e-6)
    assert (gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLongitudeRef]) == ("S", "E")


@pytest.mark.parametrize("form", FORMATS)
def test_without_a_position_no_block_is_written(frame: Frame, credit: Credit, form: Format) -> None:
    exif = opened(encoded(UPRIGHT, replace(stored(frame, form), position=None), credit)).getexif()
    assert ExifTags.IFD.GPSInfo not in exif


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("form", FORMATS)
def test_turned_back_by_its_orientation_the_picture_is_upright(
    frame: Frame, credit: Credit, form: Format, orientation: int
) -> None:
    image = opened(encoded(UPRIGHT, stored(frame, form, orientation=orientation), credit))
    assert image.getexif()[ExifTags.Base.Orientation] == (1 if form == "heic" else orientation)
    turned = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert turned.shape == UPRIGHT.shape
    assert turned[10, 10, 0] > 200
    assert turned[40, 50, 0] < 60


@pytest.mark.parametrize("form", FORMATS)
def test_every_file_says_that_the_roll_is_synthetic_and_whose_it_is(frame: Frame, credit: Credit, form: Format) -> None:
    content = encoded(UPRIGHT, stored(frame, form), credit)
    exif = opened(content).getexif()
    assert exif[ExifTags.Base.ImageDescription] == MARK
    assert exif[ExifTags.Base.Software] == MARK
    assert exif[ExifTags.Base.Artist] == credit.author
    assert f"<rdf:li>{credit.author}</rdf:li>".encode() in content
    assert credit.licence.encode() in content


def test_a_screenshot_says_so_and_names_no_phone(now: datetime) -> None:
    frame = next(frame for frame in lay_out(recipe(), now) if frame.shot.kind == "screenshot")
    exif = opened(encoded(UPRIGHT, frame, None)).getexif()
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment].endswith(b"Screenshot")
    assert ExifTags.Base.Make not in exif
