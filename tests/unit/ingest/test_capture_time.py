# ruff: noqa: DTZ001 - the clock on a wall has no zone

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.ingest.domain.capture_time import CaptureTime, capture_time
from services.ingest.domain.media import Announcement, MediaForm
from services.picture_files.capture_time import Source, Taken
from services.picture_files.timestamps import Precision
from tests.unit.ingest.harness import asset

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATEST = NOON + timedelta(days=1)
SECOND = Precision.SECOND
NAMED = Taken(datetime(2019, 4, 5), Source.FILE_NAME, Precision.DAY)


def found(
    read: Taken | None = None,
    named: Taken | None = None,
    announced: datetime | None = NOON,
    *,
    form: MediaForm = MediaForm.ORIGINAL,
    **said: object,
) -> CaptureTime:
    described = asset(NOON, b"", capture_time=announced, **said)
    return capture_time(read, named, described, form=form, latest=LATEST)


def original(time: datetime) -> Taken:
    return Taken(time, Source.EXIF_ORIGINAL)


def test_the_camera_has_the_word_if_it_knows_its_zone() -> None:
    said = datetime(2026, 2, 20, 10, tzinfo=timezone(timedelta(hours=2)))
    expected = CaptureTime(datetime(2026, 2, 20, 8, tzinfo=UTC), timedelta(hours=2), Source.EXIF_ORIGINAL, SECOND)
    assert found(original(said), NAMED) == expected


def test_a_zone_is_learnt_from_the_phone() -> None:
    announced = datetime(2026, 2, 20, 4, 30, 1, tzinfo=UTC)
    expected = CaptureTime(
        datetime(2026, 2, 20, 4, 30, tzinfo=UTC), timedelta(hours=5, minutes=30), Source.EXIF_ORIGINAL, SECOND
    )
    assert found(original(datetime(2026, 2, 20, 10)), announced=announced) == expected


@pytest.mark.parametrize("apart", [timedelta(), timedelta(hours=15), timedelta(minutes=7), timedelta(days=-3)])
def test_without_a_zone_the_clock_counts_as_utc(apart: timedelta) -> None:
    wall = datetime(2026, 2, 20, 10)
    said = found(original(wall), announced=wall.replace(tzinfo=UTC) - apart)
    assert said == CaptureTime(wall.replace(tzinfo=UTC), None, Source.EXIF_ORIGINAL, SECOND)


def test_the_phone_has_the_word_where_the_file_has_none() -> None:
    assert found() == CaptureTime(NOON)
    assert found(announced=None) == CaptureTime()
    said = found(capture_utc_offset=timedelta(hours=1), capture_time_source=Source.XMP, capture_time_precision=SECOND)
    assert said == CaptureTime(NOON, timedelta(hours=1), Source.XMP, SECOND)


def test_the_name_goes_before_the_files_own_time_and_behind_what_the_phone_knows() -> None:
    expected = CaptureTime(datetime(2019, 4, 5, tzinfo=UTC), None, Source.FILE_NAME, Precision.DAY)
    assert found(named=NAMED, announced=None) == expected
    assert found(named=NAMED, capture_time_source=Source.FILE_TIME) == expected
    assert found(named=NAMED) == CaptureTime(NOON)


def test_the_files_own_time_goes_before_a_name_that_tells_its_day_alone() -> None:
    there = datetime(2019, 4, 5, 20, tzinfo=UTC)
    said = found(named=NAMED, announced=there, capture_time_source=Source.FILE_TIME)
    assert said == CaptureTime(there, None, Source.FILE_TIME)
    exact = Taken(datetime(2019, 4, 5, 10, 11, 12), Source.FILE_NAME)
    assert found(named=exact, announced=there, capture_time_source=Source.FILE_TIME).source is Source.FILE_NAME


def test_a_phone_that_read_the_name_may_know_the_zone_besides() -> None:
    named, zone = Taken(datetime(2019, 4, 5, 10, 11, 12), Source.FILE_NAME), timedelta(hours=2)
    there = datetime(2019, 4, 5, 8, 11, 12, tzinfo=UTC)
    said = found(named=named, announced=there, capture_utc_offset=zone, capture_time_source=Source.FILE_NAME)
    assert said == CaptureTime(there, zone, Source.FILE_NAME)
    other = found(named=named, capture_time_source=Source.FILE_NAME)
    assert other.time == datetime(2019, 4, 5, 10, 11, 12, tzinfo=UTC)


def test_a_phone_that_lives_in_the_future_is_not_believed() -> None:
    assert found(announced=LATEST + timedelta(seconds=1)) == CaptureTime()


def test_of_a_reduced_copy_the_phone_says_what_the_original_said() -> None:
    read = Taken(datetime(2026, 3, 1, 12), Source.EXIF_CHANGE)
    said = found(read, form=MediaForm.REDUCED, capture_time_source=Source.XMP, capture_time_precision=SECOND)
    assert said == CaptureTime(NOON, None, Source.XMP, SECOND)
    earlier = NOON - timedelta(days=5000)
    said = found(read, announced=earlier, form=MediaForm.REDUCED, capture_time_source=Source.XMP)
    assert said.time == earlier


def test_a_phone_that_says_later_than_the_copy_is_not_believed() -> None:
    read = Taken(datetime(2012, 5, 5, 10), Source.EXIF_ORIGINAL)
    said = found(read, form=MediaForm.REDUCED, capture_time_source=Source.XMP)
    assert said.time == datetime(2012, 5, 5, 10, tzinfo=UTC)


def test_an_announcement_is_the_same_once_it_was_sealed() -> None:
    said = {
        "capture_utc_offset": timedelta(hours=-3),
        "capture_time_source": Source.GPS,
        "capture_time_precision": SECOND,
    }
    for changes in ({}, said):
        announced = Announcement(asset(NOON, b"", **changes), MediaForm.ORIGINAL, 1, bytes(32))
        assert Announcement.from_bytes(announced.to_bytes()) == announced


def test_an_announcement_without_source_is_sealed_as_before_there_was_one() -> None:
    assert b"capture_time_source" not in Announcement(asset(NOON, b""), MediaForm.ORIGINAL, 1, bytes(32)).to_bytes()
