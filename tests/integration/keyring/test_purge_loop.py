"""Purge orders from the destruction of a key to the service that must act, over a real bus."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from services.chassis.bus import connect_bus
from services.chassis.database import Pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.settings import BusSettings
from services.chassis.supervision import supervised
from services.keyring import DataKeyScope, PurgeCause, PurgeOrder, PurposeScope, SubjectScope
from services.keyring.purge import PurgeLoop
from services.retention.domain.erasure import ErasureState
from tests.contract.retention.harness import ADA, CLOUD
from tests.fakes.clock import FakeClock
from tests.integration.retention.harness import RunningRetention, running_relay


class Executed:
    """Carries orders out as told, and remembers them."""

    def __init__(self, *failures: Exception) -> None:
        self.orders: asyncio.Queue[PurgeOrder] = asyncio.Queue()
        self._failures = list(failures)

    async def __call__(self, order: PurgeOrder) -> Mapping[str, int]:
        if self._failures:
            raise self._failures.pop(0)
        await self.orders.put(order)
        return {"ingest.table.media": 2, "ingest.bucket.media": 3}

    async def next(self) -> PurgeOrder:
        return await asyncio.wait_for(self.orders.get(), 10)


@asynccontextmanager
async def looping(
    retention: RunningRetention, nats: Mapping[str, BusSettings], executed: Executed, clock: FakeClock
) -> AsyncIterator[PurgeLoop]:
    async with connect_bus(nats["ingest"]) as bus:
        loop = PurgeLoop(await retention.as_service("ingest"), "ingest", bus, executed, clock)
        async with supervised([loop.run]):
            yield loop


@pytest.fixture
def sweeps() -> FakeClock:
    """Stands still, so that no sweep comes by itself after the first."""
    return FakeClock()


async def test_an_order_given_before_the_start_is_carried_out(
    retention: RunningRetention, nats: Mapping[str, BusSettings], sweeps: FakeClock
) -> None:
    revision = await retention.harness.grant()
    await retention.harness.create([])
    await retention.harness.withdraw()
    executed = Executed()
    async with looping(retention, nats, executed, sweeps):
        order = await executed.next()
    assert (order.subject, order.cause, order.scope) == (ADA, PurgeCause.WITHDRAWAL, PurposeScope(CLOUD, revision))


async def test_an_order_given_later_is_announced_by_the_bus(
    retention: RunningRetention, nats: Mapping[str, BusSettings], pool: Pool, sweeps: FakeClock
) -> None:
    await retention.harness.grant()
    media = await retention.harness.media()
    executed = Executed()
    async with running_relay(pool, nats["retention"]), looping(retention, nats, executed, sweeps):
        erasure = await retention.harness.erase(media)
        order = await executed.next()
        assert isinstance(order.scope, DataKeyScope)
        assert order.cause is PurgeCause.ERASURE
        for service in ("analysis", "suggestion"):
            await retention.harness.complete((await retention.harness.orders(service))[0])
        async with asyncio.timeout(10):
            # The database has no event to wait for.
            while (await retention.harness.erasure(erasure))[0].state is not ErasureState.PURGED:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    _, stores = await retention.harness.erasure(erasure)
    counts = {store.store: store.purged_count for store in stores}
    assert (counts["ingest.table.media"], counts["ingest.bucket.media"]) == (2, 3)


async def test_everything_of_a_person_carries_a_fence_and_a_time(
    retention: RunningRetention, nats: Mapping[str, BusSettings], sweeps: FakeClock
) -> None:
    revision = await retention.harness.grant()
    erasure = await retention.harness.erase_everything()
    executed = Executed()
    async with looping(retention, nats, executed, sweeps):
        order = await executed.next()
    assert isinstance(order.scope, SubjectScope)
    assert order.scope.revision > revision
    assert order.scope.erase_time == erasure.request_time


async def test_a_failed_order_stays_and_is_tried_again_while_others_are_carried_out(
    retention: RunningRetention, nats: Mapping[str, BusSettings], sweeps: FakeClock
) -> None:
    await retention.harness.grant()
    for _ in range(2):
        await retention.harness.erase(await retention.harness.media())
    first, second = await retention.harness.orders("ingest")
    executed = Executed(DependencyUnavailable("the object store does not answer: call again"))
    async with connect_bus(nats["ingest"]) as bus:
        loop = PurgeLoop(await retention.as_service("ingest"), "ingest", bus, executed, sweeps)
        assert await loop.sweep() == 1
        assert (await executed.next()).name == f"purgeOrders/{second.id}"
        assert await loop.sweep() == 1
        assert (await executed.next()).name == f"purgeOrders/{first.id}"
        assert await loop.sweep() == 0


async def test_more_orders_than_a_page_are_all_carried_out(
    retention: RunningRetention, nats: Mapping[str, BusSettings], sweeps: FakeClock
) -> None:
    await retention.harness.grant()
    media = [uuid4() for _ in range(101)]
    await retention.harness.create(*[[one] for one in media])
    for one in media:
        await retention.harness.erase(one)
    executed = Executed()
    async with connect_bus(nats["ingest"]) as bus:
        loop = PurgeLoop(await retention.as_service("ingest"), "ingest", bus, executed, sweeps)
        assert await loop.sweep() == 101


async def test_without_the_service_nothing_is_lost(
    retention: RunningRetention, nats: Mapping[str, BusSettings], sweeps: FakeClock
) -> None:
    await retention.harness.grant()
    await retention.harness.erase(await retention.harness.media())
    executed = Executed()
    async with connect_bus(nats["ingest"]) as bus:
        loop = PurgeLoop(await retention.as_service("ingest"), "ingest", bus, executed, sweeps)
        await retention.stop()
        with pytest.raises(DependencyUnavailable):
            await loop.sweep()
    assert len(await retention.harness.orders("ingest")) == 1
