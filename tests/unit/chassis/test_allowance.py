from datetime import timedelta

import pytest

from services.chassis.errors import LimitReached
from services.chassis.limits.allowance import DailyAllowance
from tests.fakes.clock import FakeClock

ADA, BOB = "a" * 32, "b" * 32


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def spend_all(allowance: DailyAllowance, subject: str) -> LimitReached:
    for _ in range(24):
        allowance.spend(subject)
    with pytest.raises(LimitReached) as caught:
        allowance.spend(subject)
    return caught.value


def test_who_has_used_a_day_up_is_told_when_there_is_more_and_another_is_not_concerned(clock: FakeClock) -> None:
    allowance = DailyAllowance("uploads", 24, clock)
    refused = spend_all(allowance, ADA)
    allowance.spend(BOB)
    assert refused.metadata == {"limit": "uploads a day", "most": "24"}
    assert refused.retry_after is not None
    assert timedelta() < refused.retry_after <= timedelta(hours=1)


async def test_it_comes_back_with_time(clock: FakeClock) -> None:
    allowance = DailyAllowance("uploads", 24, clock)
    spend_all(allowance, ADA)
    await clock.advance(timedelta(hours=2))
    allowance.spend(ADA)


async def test_a_new_day_is_a_whole_one(clock: FakeClock) -> None:
    allowance = DailyAllowance("uploads", 24, clock)
    spend_all(allowance, ADA)
    await clock.advance(timedelta(days=2))
    for _ in range(24):
        allowance.spend(ADA)
