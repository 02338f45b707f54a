# ruff: noqa: DTZ001 - the clock on a wall has no zone

from datetime import UTC, datetime, timedelta

import pytest
from PIL import ExifTags, Image

from services.ingest.capture import CaptureTime, Window, capture_time
from services.ingest.exif import Exif, Moment, read_exif
from tests.unit.ingest.pictures import exif_block

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATEST = NOON + timedelta(days=1)


def moment(text: str | None, offset: str | None = None, fraction: str | None = None) -> Moment | None:
    return read_exif(exif_block(text, offset, fraction=fraction)).moment


class TestReading:
    def test_a_time_with_its_zone_and_fraction(self) -> None:
        assert moment("2026:02:28 23:59:58", "-03:30", "0625") == Moment(
            datetime(2026, 2, 28, 23, 59, 58, 62_500), timedelta(hours=-3, minutes=-30)
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
    def test_what_is_no_time_is_not_there(self, text: str) -> None:
        assert moment(text) is None

    @pytest.mark.parametrize("text", ["2026-02-28T10:11:12", "2026/02/28 10:11:12", "2026:02:28 10:11:12\0"])
    def test_other_spellings_are_understood(self, text: str) -> None:
        found = moment(text)
        assert found is not None
        assert found.wall_time == datetime(2026, 2, 28, 10, 11, 12)

    @pytest.mark.parametrize(
        ("text", "offset"),
        [("+05:45", timedelta(hours=5, minutes=45)), ("Z", timedelta()), ("+0200", timedelta(hours=2))],
    )
    def test_zones_are_understood(self, text: str, offset: timedelta) -> None:
        found = moment("2026:02:28 10:11:12", text)
        assert found is not None
        assert found.utc_offset == offset

    @pytest.mark.parametrize("text", ["+25:00", "+02:75", "CEST", "   :  ", ""])
    def test_what_is_no_zone_is_not_there(self, text: str) -> None:
        found = moment("2026:02:28 10:11:12", text)
        assert found is not None
        assert found.utc_offset is None

    def test_the_time_of_the_last_change_tells_nothing(self) -> None:
        exif = Image.Exif()
        exif[ExifTags.Base.DateTime] = "2026:02:28 10:11:12"
        assert read_exif(exif.tobytes()).moment is None

    @pytest.mark.parametrize("orientation", [0, 9, 65_535])
    def test_an_orientation_that_cannot_be_is_upright(self, orientation: int) -> None:
        assert read_exif(exif_block(orientation=orientation)).orientation == 1

    @pytest.mark.parametrize(
        "block", [None, b"", b"MM\0*", b"II*\0\xff\xff\xff\xff", b"nonsense", b"MM\0*\0\0\0\x08\xff\xff"]
    )
    def test_a_broken_block_says_nothing(self, block: bytes | None) -> None:
        assert read_exif(block) == Exif()


class TestWhen:
    def test_the_camera_has_the_word_if_it_knows_its_zone(self) -> None:
        said = Moment(datetime(2026, 2, 20, 10), timedelta(hours=2))
        assert capture_time(said, NOON, latest=LATEST) == CaptureTime(
            datetime(2026, 2, 20, 8, tzinfo=UTC), timedelta(hours=2)
        )

    def test_a_zone_is_learnt_from_the_phone(self) -> None:
        said = Moment(datetime(2026, 2, 20, 10), None)
        announced = datetime(2026, 2, 20, 4, 30, 1, tzinfo=UTC)
        assert capture_time(said, announced, latest=LATEST) == CaptureTime(
            datetime(2026, 2, 20, 4, 30, tzinfo=UTC), timedelta(hours=5, minutes=30)
        )

    @pytest.mark.parametrize("apart", [timedelta(), timedelta(hours=15), timedelta(minutes=7), timedelta(days=-3)])
    def test_without_a_zone_the_clock_counts_as_utc(self, apart: timedelta) -> None:
        wall = datetime(2026, 2, 20, 10)
        announced = wall.replace(tzinfo=UTC) - apart
        found = capture_time(Moment(wall, None), announced, latest=LATEST)
        assert found == CaptureTime(wall.replace(tzinfo=UTC), None)

    def test_the_phone_has_the_word_where_the_camera_has_none(self) -> None:
        assert capture_time(None, NOON, latest=LATEST) == CaptureTime(NOON)
        assert capture_time(None, None, latest=LATEST) == CaptureTime(None)

    def test_a_camera_that_lives_in_the_future_is_not_believed(self) -> None:
        said = Moment(datetime(2036, 2, 20, 10), timedelta())
        assert capture_time(said, NOON, latest=LATEST) == CaptureTime(NOON)

    def test_a_time_at_the_end_of_all_times_is_not_believed(self) -> None:
        said = Moment(datetime(9999, 12, 31, 23), timedelta(hours=-5))
        assert capture_time(said, NOON, latest=LATEST) == CaptureTime(NOON)


def test_the_window_forgives_clocks_and_zones() -> None:
    window = Window.at(NOON, timedelta(days=30), timedelta(hours=15))
    assert window.holds(NOON - timedelta(days=30, hours=15))
    assert not window.holds(NOON - timedelta(days=30, hours=15, seconds=1))
    assert not window.holds(None)
