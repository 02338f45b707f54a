# ruff: noqa: DTZ001 - the clock on a wall has no zone

from datetime import datetime, timedelta, timezone

import pytest
from PIL import ExifTags, Image

from services.picture_files.exif import Exif, read_exif, read_position
from tests.unit.ingest.pictures import exif_block


def taken(text: str | None, offset: str | None = None, fraction: str | None = None) -> datetime | None:
    return read_exif(exif_block(text, offset, fraction=fraction)).taken


def test_a_time_with_its_zone_and_fraction() -> None:
    assert taken("2026:02:28 23:59:58", "-03:30", "0625") == datetime(
        2026, 2, 28, 23, 59, 58, 62_500, timezone(-timedelta(hours=3, minutes=30))
    )


@pytest.mark.parametrize(
    "text",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2026:13:01 00:00:00",
        "2026:02:30 00:00:00",
        "2026:02:28 24:00:00",
        "1601:01:01 00:00:00",
        "yesterday",
        "",
        "2026",
    ],
)
def test_what_is_no_time_is_not_there(text: str) -> None:
    assert taken(text) is None


@pytest.mark.parametrize("text", ["2026-02-28T10:11:12", "2026/02/28 10:11:12", "2026:02:28 10:11:12\0"])
def test_other_spellings_are_understood(text: str) -> None:
    assert taken(text) == datetime(2026, 2, 28, 10, 11, 12)


@pytest.mark.parametrize(
    ("text", "offset"),
    [("+05:45", timedelta(hours=5, minutes=45)), ("Z", timedelta()), ("+0200", timedelta(hours=2))],
)
def test_zones_are_understood(text: str, offset: timedelta) -> None:
    assert taken("2026:02:28 10:11:12", text) == datetime(2026, 2, 28, 10, 11, 12, tzinfo=timezone(offset))


@pytest.mark.parametrize("text", ["+25:00", "+02:75", "CEST", "   :  ", ""])
def test_what_is_no_zone_is_not_there(text: str) -> None:
    assert taken("2026:02:28 10:11:12", text) == datetime(2026, 2, 28, 10, 11, 12)


def test_the_time_of_the_last_change_tells_nothing() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2026:02:28 10:11:12"
    assert read_exif(exif.tobytes()).taken is None


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_cannot_be_is_upright(orientation: int) -> None:
    assert read_exif(exif_block(orientation=orientation)).orientation == 1


@pytest.mark.parametrize(
    "block", [None, b"", b"MM\0*", b"II*\0\xff\xff\xff\xff", b"nonsense", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_a_broken_block_says_nothing(block: bytes | None) -> None:
    assert read_exif(block) == Exif()


def gps(latitude: object, longitude: object, side: str = "N", way: str = "E") -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: side, 2: latitude, 3: way, 4: longitude})
    return exif


def test_a_position_is_read_from_every_hemisphere() -> None:
    assert read_position(gps((33.0, 51.0, 24.48), (151.0, 12.0, 54.9), "S", "E")) == pytest.approx(
        (-33.8568, 151.21525)
    )
    assert read_position(gps((40.0, 41.0, 21.12), (74.0, 2.0, 40.2), "N", "W")) == pytest.approx((40.6892, -74.0445))


@pytest.mark.parametrize("place", [(0, 0), (91, 4), (4, 181), (float("inf"), 1)], ids=str)
def test_a_position_that_makes_no_sense_is_none(place: tuple[float, float]) -> None:
    assert read_position(gps((place[0], 0.0, 0.0), (place[1], 0.0, 0.0))) is None


@pytest.mark.parametrize("broken", [{}, {2: "north"}, {2: (), 4: ()}, {2: (1, 2, 3, 4), 4: (1,)}, {1: "N", 2: (45,)}])
def test_a_broken_position_is_none(broken: dict[int, object]) -> None:
    block = Image.Exif()
    block.get_ifd(ExifTags.IFD.GPSInfo).update(broken)
    assert read_position(block) is None
