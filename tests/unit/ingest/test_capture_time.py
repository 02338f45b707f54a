# ruff: noqa: DTZ001 - the clock on a wall has no zone

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.ingest.domain.capture_time import CaptureTime, capture_time

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATEST = NOON + timedelta(days=1)


def test_the_camera_has_the_word_if_it_knows_its_zone() -> None:
    said = datetime(2026, 2, 20, 10, tzinfo=timezone(timedelta(hours=2)))
    assert capture_time(said, NOON, latest=LATEST) == CaptureTime(
        datetime(2026, 2, 20, 8, tzinfo=UTC), timedelta(hours=2)
    )


def test_a_zone_is_learnt_from_the_phone() -> None:
    said = datetime(2026, 2, 20, 10)
    announced = datetime(2026, 2, 20, 4, 30, 1, tzinfo=UTC)
    assert capture_time(said, announced, latest=LATEST) == CaptureTime(
        datetime(2026, 2, 20, 4, 30, tzinfo=UTC), timedelta(hours=5, minutes=30)
    )


@pytest.mark.parametrize("apart", [timedelta(), timedelta(hours=15), timedelta(minutes=7), timedelta(days=-3)])
def test_without_a_zone_the_clock_counts_as_utc(apart: timedelta) -> None:
    wall = datetime(2026, 2, 20, 10)
    announced = wall.replace(tzinfo=UTC) - apart
    found = capture_time(wall, announced, latest=LATEST)
    assert found == CaptureTime(wall.replace(tzinfo=UTC), None)


def test_the_phone_has_the_word_where_the_camera_has_none() -> None:
    assert capture_time(None, NOON, latest=LATEST) == CaptureTime(NOON)
    assert capture_time(None, None, latest=LATEST) == CaptureTime(None)


def test_a_camera_that_lives_in_the_future_is_not_believed() -> None:
    said = datetime(2036, 2, 20, 10, tzinfo=UTC)
    assert capture_time(said, NOON, latest=LATEST) == CaptureTime(NOON)


def test_a_time_at_the_end_of_all_times_is_not_believed() -> None:
    said = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))
    assert capture_time(said, NOON, latest=LATEST) == CaptureTime(NOON)
