from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain.change_plan import add_months

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
