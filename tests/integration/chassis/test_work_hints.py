import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from nats.js.errors import NotFoundError
from pydantic import SecretStr

from deploy.local.parts.nats import nats_server
from services.chassis.clock import SystemClock
from services.chassis.messaging.bus import Bus, connect_bus
from services.chassis.messaging.work import MOST_HINTS, WorkHints, WorkStream, WorkWakes, ensure_work_stream
from services.chassis.settings import BusSettings
from services.chassis.supervision import supervised
from tests.integration.eventually import eventually

SERVICE = "analysis"
STREAM = WorkStream.of(SERVICE)


class Work:
    """What a database says of the work; and whether anyone was woken."""

    def __init__(self) -> None:
        self.open = 0
        self.woken = asyncio.Event()

    async def count(self, limit: int) -> int:
        return min(self.open, limit)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BusSettings]:
    async with nats_server(tmp_path_factory.mktemp("nats"), [SERVICE]) as server:
        yield BusSettings(nats_url=SecretStr(server.url(SERVICE)))


@pytest.fixture
async def bus(nats: BusSettings) -> AsyncIterator[Bus]:
    async with connect_bus(nats) as bus:
        yield bus
        await bus.jetstream.delete_stream(STREAM.name)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def hints(bus: Bus, work: Work) -> WorkHints:
    return WorkHints(bus, STREAM, work.count, SystemClock())


@pytest.fixture
def wakes(bus: Bus, work: Work) -> WorkWakes:
    return WorkWakes(bus, STREAM, work.count, work.woken.set, SystemClock())


async def lag(bus: Bus) -> int:
    """Return what a scaler sees: what is pending, and what is in the hands of workers."""
    info = await bus.jetstream.consumer_info(STREAM.name, STREAM.consumer)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def test_there_are_as_many_hints_as_there_is_work(bus: Bus, work: Work, hints: WorkHints) -> None:
    seen = []
    for work.open in (0, 3, 7, 2, 0):
        await hints.correct()
        seen.append(await lag(bus))
    assert seen == [0, 3, 7, 2, 0]


async def test_hints_have_a_limit(bus: Bus, work: Work, hints: WorkHints) -> None:
    work.open = 10 * MOST_HINTS
    await hints.correct()
    assert await lag(bus) == MOST_HINTS


async def test_a_stream_that_was_lost_is_right_again_at_the_next_look(bus: Bus, work: Work, hints: WorkHints) -> None:
    work.open = 5
    await hints.correct()
    await bus.jetstream.delete_stream(STREAM.name)
    with pytest.raises(NotFoundError):
        await lag(bus)
    await hints.correct()
    assert await lag(bus) == 5


async def test_a_consumer_that_was_lost_is_right_again_at_the_next_look(bus: Bus, work: Work, hints: WorkHints) -> None:
    work.open = 5
    await hints.correct()
    await bus.jetstream.delete_consumer(STREAM.name, STREAM.consumer)
    await hints.correct()
    await hints.correct()
    assert await lag(bus) == 5


async def test_a_worker_is_woken_and_holds_the_hint_until_there_is_nothing_to_do(
    bus: Bus, work: Work, hints: WorkHints, wakes: WorkWakes
) -> None:
    work.open = 1
    await hints.correct()
    async with supervised([wakes.run]):
        await asyncio.wait_for(work.woken.wait(), 10)
        held = await lag(bus)
        work.open = 0
        await eventually(lambda: lag(bus), lambda seen: seen == 0, seconds=10)
    assert held == 1


async def test_workers_clear_what_is_left_over_of_a_publisher_that_is_gone(
    bus: Bus, work: Work, hints: WorkHints, wakes: WorkWakes
) -> None:
    work.open = 6
    await hints.correct()
    work.open = 0
    async with supervised([wakes.run, wakes.run]):
        await eventually(lambda: lag(bus), lambda seen: seen == 0, seconds=10)


async def test_a_worker_hears_of_work_after_the_stream_was_lost(
    bus: Bus, work: Work, hints: WorkHints, wakes: WorkWakes
) -> None:
    await ensure_work_stream(bus, STREAM)
    async with supervised([wakes.run]):
        await eventually(lambda: _waiting(bus))
        await bus.jetstream.delete_stream(STREAM.name)
        work.open = 1
        async with supervised([hints.run]):
            await asyncio.wait_for(work.woken.wait(), 20)


async def test_the_hints_of_a_worker_that_died_count_on(bus: Bus, work: Work, hints: WorkHints) -> None:
    work.open = 2
    await hints.correct()
    subscription = await bus.jetstream.pull_subscribe_bind(STREAM.consumer, STREAM.name)
    await subscription.fetch(2, timeout=5)
    await subscription.unsubscribe()
    assert await lag(bus) == 2
    work.open = 0
    await hints.correct()
    assert await lag(bus) == 0


async def _waiting(bus: Bus) -> bool:
    return bool((await bus.jetstream.consumer_info(STREAM.name, STREAM.consumer)).num_waiting)
