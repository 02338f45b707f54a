from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain import NEEDS, Purpose, add_months, needs_of, with_dependants

_MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (datetime(2026, 1, 31, 8, tzinfo=UTC), 1, datetime(2026, 2, 28, 8, tzinfo=UTC)),
        (datetime(2027, 8, 31, tzinfo=UTC), 6, datetime(2028, 2, 29, tzinfo=UTC)),
        (datetime(2026, 12, 15, tzinfo=UTC), 12, datetime(2027, 12, 15, tzinfo=UTC)),
    ],
)
def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month(
    start: datetime, months: int, expected: datetime
) -> None:
    assert expected == add_months(start, months)


@given(_MOMENTS, st.integers(1, 12))
def test_months_are_never_longer_than_31_days_each_nor_shorter_than_28(start: datetime, months: int) -> None:
    assert timedelta(days=28 * months) <= add_months(start, months) - start <= timedelta(days=31 * months)


def test_there_is_no_purpose_for_advertising_or_for_people_looking() -> None:
    assert [purpose.value for purpose in Purpose] == [
        "CLOUD_PROCESSING",
        "OLDER_MEDIA",
        "LOCATION",
        "FACE_GROUPING",
        "GENERATIVE_EDITING",
        "MODEL_IMPROVEMENT",
    ]


def test_improving_models_is_never_needed_for_anything() -> None:
    assert all(Purpose.MODEL_IMPROVEMENT not in needs_of(purpose) for purpose in Purpose)


def test_nothing_needs_itself() -> None:
    assert all(purpose not in needs_of(purpose) for purpose in NEEDS)


def test_everything_builds_on_cloud_processing_and_nothing_on_the_others() -> None:
    assert with_dependants([Purpose.CLOUD_PROCESSING]) == tuple(Purpose)
    assert with_dependants([Purpose.LOCATION]) == (Purpose.LOCATION,)
