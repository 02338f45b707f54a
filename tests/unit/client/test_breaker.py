from datetime import timedelta

from inference.client.breaker import Breaker, State
from tests.fakes.clock import FakeClock


async def test_it_opens_after_failures_in_a_row_for_longer_each_time() -> None:
    clock = FakeClock()
    breaker = Breaker(clock, failures=3, first=1, longest=3)
    for _ in range(3):
        assert breaker.state is State.CLOSED
        breaker.fail()
    times = []
    for _ in range(3):
        times.append(breaker.open_for().total_seconds())
        await clock.advance(breaker.open_for())
        assert breaker.state is State.HALF_OPEN
        breaker.fail()
    assert times == [1, 2, 3]


async def test_a_success_closes_it() -> None:
    clock = FakeClock()
    breaker = Breaker(clock, failures=1, first=1)
    breaker.fail()
    await clock.advance(1)
    breaker.succeed()
    assert breaker.state is State.CLOSED


def test_failures_with_a_success_between_do_not_open_it() -> None:
    breaker = Breaker(FakeClock(), failures=2)
    for _ in range(5):
        breaker.fail()
        breaker.succeed()
    assert breaker.open_for() == timedelta()


def test_failures_of_what_was_sent_before_do_not_keep_it_open() -> None:
    breaker = Breaker(FakeClock(), failures=1, first=1)
    for _ in range(10):
        breaker.fail()
    assert breaker.open_for() == timedelta(seconds=1)


def test_an_answer_to_what_was_sent_before_does_not_close_it() -> None:
    breaker = Breaker(FakeClock(), failures=1, first=1)
    breaker.fail()
    breaker.succeed()
    assert breaker.state is State.OPEN


def test_a_dead_server_opens_it_at_once() -> None:
    breaker = Breaker(FakeClock(), failures=3)
    breaker.trip()
    assert breaker.state is State.OPEN
