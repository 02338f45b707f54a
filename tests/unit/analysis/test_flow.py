import asyncio
from datetime import timedelta

import pytest

from services.analysis.flow import Breaker, Gate, GateFull, RetryBudget
from services.analysis.triton_status import Verdict, verdict
from tests.fakes.clock import FakeClock


class Visitor:
    """Somebody who goes through a gate and stays until told to leave."""

    def __init__(self, gate: Gate) -> None:
        self.inside = False
        self._leave = asyncio.Event()
        self._gate = gate
        self.task = asyncio.create_task(self._visit())

    async def _visit(self) -> None:
        async with self._gate.place():
            self.inside = True
            await self._leave.wait()
        self.inside = False

    async def leave(self) -> None:
        self._leave.set()
        await self.task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def visitors(gate: Gate, count: int) -> list[Visitor]:
    everybody = [Visitor(gate) for _ in range(count)]
    await settle()
    return everybody


async def end(everybody: list[Visitor]) -> None:
    for visitor in everybody:
        visitor.task.cancel()
    await asyncio.gather(*(visitor.task for visitor in everybody), return_exceptions=True)


async def test_no_more_than_the_limit_are_inside() -> None:
    everybody = await visitors(Gate(2, 60), 5)
    assert [visitor.inside for visitor in everybody] == [True, True, False, False, False]
    await everybody[0].leave()
    await settle()
    assert [visitor.inside for visitor in everybody] == [False, True, True, False, False]
    await end(everybody)


async def test_who_waits_too_long_is_sent_away() -> None:
    gate = Gate(1, 0.0)
    everybody = await visitors(gate, 1)
    with pytest.raises(GateFull):
        async with gate.place():
            pass
    await end(everybody)


async def test_who_gives_up_waiting_costs_nobody_a_place() -> None:
    gate = Gate(1, 60)
    first, second, third = await visitors(gate, 3)
    second.task.cancel()
    await first.leave()
    await settle()
    assert third.inside
    await end([second, third])


async def test_a_place_that_comes_as_its_taker_leaves_goes_to_the_next() -> None:
    gate = Gate(1, 60)
    first, second, third = await visitors(gate, 3)
    leaving = asyncio.create_task(first.leave())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second.task.cancel()
    await leaving
    await settle()
    assert third.inside
    await end([second, third])


async def test_an_overload_halves_the_limit_and_answers_raise_it_again() -> None:
    gate = Gate(8, 60)
    gate.shrink()
    assert gate.limit == 4
    for _ in range(4):
        gate.grow()
    assert gate.limit == 5
    for _ in range(100):
        gate.grow()
    assert gate.limit == 8


def test_the_limit_never_falls_below_one() -> None:
    gate = Gate(1, 60)
    gate.shrink()
    assert gate.limit == 1


async def test_a_breaker_opens_after_failures_in_a_row_for_longer_each_time() -> None:
    clock = FakeClock()
    breaker = Breaker(clock, failures=3, first=1, longest=3)
    for _ in range(3):
        assert breaker.open_for() == timedelta()
        breaker.fail()
    times = []
    for _ in range(3):
        times.append(breaker.open_for().total_seconds())
        await clock.advance(breaker.open_for())
        breaker.fail()
    assert times == [1, 2, 3]


async def test_a_success_closes_a_breaker() -> None:
    clock = FakeClock()
    breaker = Breaker(clock, failures=2, first=1)
    breaker.fail()
    breaker.succeed()
    breaker.fail()
    assert breaker.open_for() == timedelta()


def test_failures_of_what_was_sent_before_do_not_keep_it_open() -> None:
    breaker = Breaker(FakeClock(), failures=1, first=1)
    for _ in range(10):
        breaker.fail()
    assert breaker.open_for() == timedelta(seconds=1)


def test_retries_are_a_share_of_the_requests() -> None:
    budget = RetryBudget(share=0.5, burst=2)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    budget.earn()
    assert not budget.spend()
    budget.earn()
    assert budget.spend()


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("StatusCode.UNAVAILABLE", "[request id: 1] Exceeds maximum queue size", Verdict.OVERLOAD),
        ("StatusCode.UNAVAILABLE", "Request timeout expired", Verdict.OVERLOAD),
        ("StatusCode.UNAVAILABLE", "failed to connect to all addresses", Verdict.RETRY),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'x' has no available versions", Verdict.RETRY),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'x' is not found", Verdict.MISSING),
        ("StatusCode.CANCELLED", "", Verdict.RETRY),
        ("StatusCode.INTERNAL", "Stub process 'x_0_1' is not healthy.", Verdict.BREAK),
        ("StatusCode.INTERNAL", "CUDA out of memory", Verdict.MEMORY),
        ("StatusCode.INTERNAL", "Fail: a node failed", Verdict.FAILED),
        ("StatusCode.INVALID_ARGUMENT", "unexpected shape", Verdict.REFUSED),
        ("StatusCode.DEADLINE_EXCEEDED", "Deadline Exceeded", Verdict.BREAK),
        ("None", "something new", Verdict.BREAK),
    ],
)
def test_every_error_has_its_verdict(code: str, message: str, expected: Verdict) -> None:
    assert verdict(code, message) is expected
