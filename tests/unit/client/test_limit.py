import asyncio

import pytest

from inference.client.limit import AdaptiveLimit, Gate, GateFull
from tests.fakes.clock import FakeClock


class Visitor:
    """Somebody who goes through a gate and stays until told to leave."""

    def __init__(self, gate: Gate) -> None:
        self.inside = False
        self._leave = asyncio.Event()
        self._gate = gate
        self.task = asyncio.create_task(self._visit())

    async def _visit(self) -> None:
        async with self._gate.slot(60):
            self.inside = True
            await self._leave.wait()
        self.inside = False

    async def leave(self) -> None:
        self._leave.set()
        await self.task


def gate_for(limit: int, clock: FakeClock | None = None) -> Gate:
    return Gate(clock or FakeClock(), AdaptiveLimit(limit))


async def run_what_is_ready() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def visitors(gate: Gate, count: int) -> list[Visitor]:
    everybody = [Visitor(gate) for _ in range(count)]
    await run_what_is_ready()
    return everybody


async def end(everybody: list[Visitor]) -> None:
    for visitor in everybody:
        visitor.task.cancel()
    await asyncio.gather(*(visitor.task for visitor in everybody), return_exceptions=True)


async def test_no_more_than_the_limit_are_inside() -> None:
    everybody = await visitors(gate_for(2), 5)
    assert [visitor.inside for visitor in everybody] == [True, True, False, False, False]
    await everybody[0].leave()
    await run_what_is_ready()
    assert [visitor.inside for visitor in everybody] == [False, True, True, False, False]
    await end(everybody)


async def test_who_waits_too_long_is_sent_away_and_told_when_to_come_again() -> None:
    clock = FakeClock()
    gate = gate_for(1, clock)
    everybody = await visitors(gate, 2)
    await clock.advance(60)
    with pytest.raises(GateFull) as caught:
        await everybody[1].task
    assert caught.value.retry_after.total_seconds() > 0
    assert gate.waiting == 0
    await end(everybody[:1])


async def test_who_gives_up_waiting_costs_nobody_a_place() -> None:
    gate = gate_for(1)
    first, second, third = await visitors(gate, 3)
    second.task.cancel()
    await first.leave()
    await run_what_is_ready()
    assert third.inside
    await end([second, third])
    assert gate.inside == 0


async def test_a_place_that_comes_as_its_taker_leaves_goes_to_the_next() -> None:
    gate = gate_for(1)
    first, second, third = await visitors(gate, 3)
    leaving = asyncio.create_task(first.leave())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second.task.cancel()
    await leaving
    await run_what_is_ready()
    assert third.inside
    await end([second, third])


async def test_a_limit_that_rises_lets_in_who_waits() -> None:
    gate = gate_for(1)
    everybody = await visitors(gate, 3)
    gate.limit.set_ceiling(3, 1)
    gate.admit()
    await run_what_is_ready()
    assert all(visitor.inside for visitor in everybody)
    await end(everybody)


def test_an_overload_halves_the_limit_and_answers_raise_it_again() -> None:
    limit = AdaptiveLimit(8)
    limit.overloaded(sent=0, now=1)
    assert limit.value == 4
    for _ in range(4):
        limit.answered(0.01)
    assert limit.value == 5
    for _ in range(100):
        limit.answered(0.01)
    assert limit.value == 8


def test_refusals_of_one_round_trip_are_one_overload() -> None:
    limit = AdaptiveLimit(64)
    for _ in range(20):
        limit.overloaded(sent=0, now=1)
    assert limit.value == 32
    limit.overloaded(sent=1, now=2)
    assert limit.value == 16


def test_the_limit_never_falls_below_one() -> None:
    limit = AdaptiveLimit(2)
    for now in range(10):
        limit.overloaded(sent=now, now=now)
    assert limit.value == 1


def test_a_queue_that_stands_shrinks_the_limit_but_keeps_every_instance_at_work() -> None:
    limit = AdaptiveLimit(64, busy=4, target=0.25)
    limit.answered(0.01)
    for _ in range(1000):
        limit.answered(0.5)
    assert limit.value == 4


def test_one_slow_answer_among_quick_ones_changes_nothing() -> None:
    limit = AdaptiveLimit(4, target=0.25)
    for _ in range(50):
        for seconds in (0.01, 5.0, 0.01, 0.02):
            limit.answered(seconds)
    assert limit.value == 4


def test_a_queue_that_is_gone_lets_the_limit_rise_again() -> None:
    limit = AdaptiveLimit(16, busy=2, target=0.25)
    limit.answered(0.01)
    for _ in range(500):
        limit.answered(0.5)
    for _ in range(500):
        limit.answered(0.02)
    assert limit.value == 16


@pytest.mark.parametrize("capacity", [3, 10, 40])
def test_the_limit_settles_near_what_a_server_can_take(capacity: int) -> None:
    """A server that refuses whatever exceeds its capacity is asked for most of it, and seldom for more."""
    limit = AdaptiveLimit(64)
    asked, now = list[int](), 0.0
    for _ in range(400):
        sent, now = now, now + 1
        asked.append(limit.value)
        for number in range(limit.value):
            if number < capacity:
                limit.answered(0.01)
            else:
                limit.overloaded(sent=sent, now=now)
    steady = asked[100:]
    assert max(steady) <= capacity + 1
    assert sum(steady) / len(steady) >= 0.6 * capacity
