import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from services.chassis.errors import LimitReached
from services.chassis.limits import (
    CHUNK_BYTES,
    LONGEST_REFUSAL_SECONDS,
    REFUSALS_PER_SECOND,
    RUNNING_CALLS,
    SMALL_MESSAGE_BYTES,
)
from services.chassis.limits.shares import Share, ShareLimits, Shares, current_share
from tests.fakes.clock import FakeClock

ADA, BOB = "a" * 32, "b" * 32
LIMITS = ShareLimits(
    calls_per_second=1000,
    starts_at_once=1000,
    calls_at_once=12,
    streams_at_once=3,
    process_calls=100,
    turn_seconds=0.01,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@asynccontextmanager
async def running(shares: Shares, caller: str, count: int, *, is_stream: bool = False) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for _ in range(count):
            await stack.enter_async_context(shares.hold(caller, is_stream=is_stream))
        yield


async def refusal(shares: Shares, caller: str, clock: FakeClock, *, is_stream: bool = False) -> LimitReached:
    async def enter() -> None:
        async with shares.hold(caller, is_stream=is_stream):
            pass

    entering = asyncio.create_task(enter())
    for _ in range(20):
        await asyncio.sleep(0)
        await clock.advance(LIMITS.turn_seconds)
    with pytest.raises(LimitReached) as caught:
        await entering
    return caught.value


async def test_a_caller_with_too_many_streams_is_refused_with_a_delay_and_another_is_not(clock: FakeClock) -> None:
    shares = Shares(LIMITS, clock)
    async with running(shares, ADA, 3, is_stream=True):
        refused = await refusal(shares, ADA, clock, is_stream=True)
        async with shares.hold(BOB, is_stream=True):
            pass
    assert refused.metadata == {"limit": "streams at once", "most": "3"}
    assert refused.retry_after is not None
    assert refused.quota is not None


async def test_a_place_that_comes_free_is_taken(clock: FakeClock) -> None:
    shares = Shares(LIMITS, clock)
    for _ in range(10):
        async with running(shares, ADA, 3, is_stream=True):
            pass


async def test_calls_wait_for_those_that_run_and_too_many_are_refused(clock: FakeClock) -> None:
    shares = Shares(replace(LIMITS, turn_seconds=60), clock)
    release = asyncio.Event()

    async def call() -> None:
        async with shares.hold(ADA, is_stream=False):
            await release.wait()

    calls = [asyncio.create_task(call()) for _ in range(LIMITS.calls_at_once)]
    await asyncio.sleep(0)
    too_many = asyncio.create_task(call())
    await asyncio.sleep(0)
    await clock.advance(60)
    with pytest.raises(LimitReached):
        await too_many
    assert LIMITS.calls_at_once > RUNNING_CALLS
    release.set()
    await asyncio.gather(*calls)


async def test_calls_that_come_too_fast_wait_and_then_are_refused(clock: FakeClock) -> None:
    shares = Shares(replace(LIMITS, calls_per_second=10, calls_at_once=50, turn_seconds=1), clock)

    async def call() -> None:
        async with shares.hold(ADA, is_stream=False):
            pass

    calls = [asyncio.create_task(call()) for _ in range(30)]
    await asyncio.sleep(0)
    done = []
    for _ in range(4):
        done.append(sum(each.done() for each in calls))
        await clock.advance(0.5)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert done[0] < done[1] < done[2]
    assert 0 < sum(isinstance(each, LimitReached) for each in outcomes) < 20


async def test_a_full_process_refuses_those_who_have_most(clock: FakeClock) -> None:
    shares = Shares(replace(LIMITS, streams_at_once=100, process_calls=10), clock)
    async with running(shares, ADA, 9, is_stream=True), running(shares, BOB, 1, is_stream=True):
        assert (await refusal(shares, ADA, clock)).metadata["limit"] == "calls of this service at once"
        async with shares.hold(BOB, is_stream=True):
            pass


async def test_small_messages_come_at_the_callers_pace_and_large_ones_freely(clock: FakeClock) -> None:
    shares = Shares(replace(LIMITS, messages_per_second=10), clock)
    async with shares.hold(ADA, is_stream=True):
        share = current_share()
        assert share is not None
        for _ in range(100):
            await share.message(SMALL_MESSAGE_BYTES)
        for _ in range(9):
            await share.message(0)
        late = asyncio.create_task(share.message(0))
        await asyncio.sleep(0)
        assert not late.done()
        await clock.advance(0.1)
        await late


def share_of(shares: Shares, caller: str) -> Share:
    return shares.enter(caller)


async def test_calls_that_are_made_at_once_begin_one_after_the_other(clock: FakeClock) -> None:
    shares = Shares(replace(LIMITS, starts_at_once=2, calls_per_second=25), clock)
    begun = 0

    async def call() -> None:
        nonlocal begun
        async with shares.hold(ADA, is_stream=False):
            begun += 1

    calls = [asyncio.create_task(call()) for _ in range(8)]
    counts = []
    for _ in range(8):
        await clock.advance(0.01)
        counts.append(begun)
    assert counts[0] <= 4
    assert max(later - earlier for earlier, later in pairwise(counts)) <= 2
    assert counts[-1] == 8
    await asyncio.gather(*calls)


async def test_refused_calls_are_answered_at_a_pace_and_never_many_together(clock: FakeClock) -> None:
    share = share_of(Shares(LIMITS, clock), ADA)
    delays = [share.refusal_delay() for _ in range(1000)]
    at_once = [delay for delay in delays if not delay]
    assert len(at_once) == REFUSALS_PER_SECOND + 1
    assert max(delays) <= LONGEST_REFUSAL_SECONDS
    in_a_second = [sum(second <= delay < second + 1 for delay in delays) for second in range(1, 10)]
    assert max(in_a_second) < 250


async def test_who_is_patient_is_refused_at_once(clock: FakeClock) -> None:
    share = share_of(Shares(LIMITS, clock), ADA)
    for _ in range(100):
        assert share.refusal_delay() == 0
        await clock.advance(1 / REFUSALS_PER_SECOND)


async def test_who_is_alone_uploads_freely_and_who_is_not_at_a_pace(clock: FakeClock) -> None:
    shares = Shares(replace(LIMITS, bytes_per_second=CHUNK_BYTES), clock)
    async with shares.hold(ADA, is_stream=True):
        ada = current_share()
        assert ada is not None
        for _ in range(100):
            await ada.message(CHUNK_BYTES)
        async with shares.hold(BOB, is_stream=False):
            pass
        for _ in range(5):
            await ada.message(CHUNK_BYTES)
        late = asyncio.create_task(ada.message(CHUNK_BYTES))
        await asyncio.sleep(0)
        assert not late.done()
        await clock.advance(1)
        await late
        await clock.advance(5)
        for _ in range(100):
            await ada.message(CHUNK_BYTES)


async def test_callers_who_are_gone_are_forgotten(clock: FakeClock) -> None:
    shares = Shares(LIMITS, clock)
    for number in range(3000):
        async with shares.hold(f"{number:032x}", is_stream=False):
            pass
        await clock.advance(0.01)
    assert shares.remembered <= 1000
