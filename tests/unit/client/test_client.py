"""The rules of the client about time, with a clock that stands still."""

import asyncio

import pytest

from inference.client.deadlines import deadline_scope
from inference.client.error_classes import ErrorClass
from inference.client.errors import ModelBusy, ModelUnavailable
from inference.client.model_channels import SLOW_MODELS
from inference.client.retries import CallPolicy, RetryBudget
from tests.fakes.clock import FakeClock
from tests.unit.client.wires import MODEL, FakeWire, client_on, fails, infer_once, takes


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def wire() -> FakeWire:
    return FakeWire()


async def finish(task: "asyncio.Task[float]", clock: FakeClock) -> float:
    """Lets time pass until the task has ended."""
    while not task.done():
        await clock.advance(0.05)
    return await task


async def test_a_request_gets_what_is_left_less_a_margin(wire: FakeWire, clock: FakeClock) -> None:
    await infer_once(client_on(wire, clock, CallPolicy(response=10)))
    await infer_once(client_on(wire, clock, CallPolicy(response=10)), deadline=clock.monotonic() + 2)
    with deadline_scope(clock.monotonic() + 1):
        await infer_once(client_on(wire, clock, CallPolicy(response=10)), deadline=clock.monotonic() + 2)
    await infer_once(client_on(wire, clock, CallPolicy(response=10), time_left=lambda: 0.5))
    assert wire.allowed == pytest.approx([9.95, 1.95, 0.95, 0.45])


async def test_an_end_said_around_the_work_holds_in_its_tasks_and_not_outside(wire: FakeWire, clock: FakeClock) -> None:
    client = client_on(wire, clock)
    with deadline_scope(clock.monotonic() + 3), deadline_scope(clock.monotonic() + 5):
        task = asyncio.create_task(infer_once(client))
    await task
    await infer_once(client)
    assert wire.allowed == pytest.approx([2.95, 9.95])


async def test_it_is_asked_again_at_most_twice(wire: FakeWire, clock: FakeClock) -> None:
    wire.steps.extend([fails(ErrorClass.RETRY)] * 3)
    with pytest.raises(ModelUnavailable):
        await finish(asyncio.create_task(infer_once(client_on(wire, clock))), clock)
    assert len(wire.allowed) == 3


async def test_no_retry_is_begun_that_would_end_past_the_deadline(wire: FakeWire, clock: FakeClock) -> None:
    async def late() -> None:
        await clock.sleep(9.96)
        await fails(ErrorClass.RETRY)()

    wire.steps.append(late)
    with pytest.raises(ModelUnavailable):
        await finish(asyncio.create_task(infer_once(client_on(wire, clock, CallPolicy(response=10)))), clock)
    assert len(wire.allowed) == 1


async def test_pauses_before_retries_differ_and_never_exceed_their_bound(wire: FakeWire, clock: FakeClock) -> None:
    pauses = set[float]()

    class Noting(FakeClock):
        async def sleep(self, seconds: float) -> None:
            pauses.add(seconds)

    noting = Noting()
    client = client_on(wire, noting, CallPolicy(first_retry=0.1))
    for _ in range(10):
        wire.steps.append(fails(ErrorClass.RETRY))
        await infer_once(client)
    assert len(pauses) > 5
    assert max(pauses) <= 0.1


async def test_retries_end_when_their_budget_is_spent(wire: FakeWire, clock: FakeClock) -> None:
    client = client_on(wire, clock, CallPolicy(first_retry=0))
    refused = 0
    for _ in range(40):
        wire.steps.append(fails(ErrorClass.RETRY))
        try:
            await finish(asyncio.create_task(infer_once(client)), clock)
        except ModelUnavailable:
            refused += 1
    assert refused > 0
    assert len(wire.allowed) == 80 - refused


def test_retries_are_a_share_of_the_requests() -> None:
    budget = RetryBudget(share=0.5, burst=2)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    budget.earn()
    assert not budget.spend()
    budget.earn()
    assert budget.spend()


async def test_who_waits_too_long_for_a_place_is_told_so(wire: FakeWire, clock: FakeClock) -> None:
    client = client_on(wire, clock, CallPolicy(queue=3, response=60))
    wire.steps.extend([takes(clock, 30)] * 16)
    inside = [asyncio.create_task(infer_once(client)) for _ in range(16)]
    await clock.advance(0)
    outside = asyncio.create_task(infer_once(client))
    await clock.advance(0)
    await clock.advance(3)
    with pytest.raises(ModelBusy):
        await outside
    for task in inside:
        assert await finish(task, clock) == 2


async def test_a_deadline_ends_the_wait_for_a_place_too(wire: FakeWire, clock: FakeClock) -> None:
    client = client_on(wire, clock, CallPolicy(queue=30, response=60))
    wire.steps.extend([takes(clock, 30)] * 16)
    inside = [asyncio.create_task(infer_once(client)) for _ in range(16)]
    await clock.advance(0)
    outside = asyncio.create_task(infer_once(client, deadline=clock.monotonic() + 1))
    await clock.advance(0)
    await clock.advance(1)
    with pytest.raises(ModelBusy):
        await outside
    for task in inside:
        await finish(task, clock)


async def test_a_late_answer_to_a_hurried_caller_is_nobodys_failure(wire: FakeWire, clock: FakeClock) -> None:
    client = client_on(wire, clock, CallPolicy(response=10))
    for _ in range(5):
        wire.steps.append(fails(ErrorClass.SLOW))
        with pytest.raises(ModelUnavailable):
            await infer_once(client, deadline=clock.monotonic() + 1)
    assert client.paused([MODEL]).total_seconds() == 0


async def test_late_answers_to_patient_callers_open_the_breaker(wire: FakeWire, clock: FakeClock) -> None:
    client = client_on(wire, clock)
    for _ in range(3):
        wire.steps.append(fails(ErrorClass.SLOW))
        with pytest.raises(ModelUnavailable):
            await infer_once(client)
    assert client.paused([MODEL]).total_seconds() > 0


async def test_a_restyler_gets_the_time_that_it_takes(wire: FakeWire, clock: FakeClock) -> None:
    client = client_on(wire, clock, exceptions={MODEL: SLOW_MODELS["restyler"]})
    await infer_once(client)
    assert wire.allowed[0] > 30


async def test_closing_the_client_closes_the_wire(wire: FakeWire, clock: FakeClock) -> None:
    async with client_on(wire, clock) as client:
        await infer_once(client)
    assert wire.closed
