"""Purge orders from the destruction of a key to the service that must act, over a real bus."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from minio.error import S3Error
from psycopg.errors import QueryCanceled

from services.chassis.database import Pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.failed_work.set_aside import FIRST_PAUSE, Item, PostgresSetAside
from services.chassis.messaging.bus import connect_bus
from services.chassis.settings import BusSettings
from services.chassis.supervision import supervised
from services.keyring import DataKeyScope, PurgeCause, PurgeOrder, PurposeScope, SubjectScope
from services.keyring.purge import PurgeLoop
from services.retention.domain.erasure import ErasureState
from tests.contract.retention.harness import ADA, CLOUD
from tests.fakes.clock import FakeClock
from tests.fakes.set_aside import FakeSetAside
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

    def fail(self, error: Exception) -> None:
        self._failures.append(error)

    async def next(self) -> PurgeOrder:
        return await asyncio.wait_for(self.orders.get(), 10)


def _denied() -> S3Error:
    return S3Error(response=None, code="AccessDenied", message=None, resource="/media/1", request_id=None, host_id=None)


@asynccontextmanager
async def looping(
    retention: RunningRetention, nats: Mapping[str, BusSettings], executed: Executed, clock: FakeClock
) -> AsyncIterator[PurgeLoop]:
    async with connect_bus(nats["ingest"]) as bus:
        loop = PurgeLoop(await retention.as_service("ingest"), "ingest", bus, executed, clock, FakeSetAside())
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
        loop = PurgeLoop(await retention.as_service("ingest"), "ingest", bus, executed, sweeps, FakeSetAside())
        assert await loop.sweep() == 1
        assert (await executed.next()).name == f"purgeOrders/{second.id}"
        assert await loop.sweep() == 1
        assert (await executed.next()).name == f"purgeOrders/{first.id}"
        assert await loop.sweep() == 0


async def test_orders_that_fail_for_any_reason_are_set_aside_and_the_others_are_carried_out(
    retention: RunningRetention, nats: Mapping[str, BusSettings], pool: Pool, sweeps: FakeClock
) -> None:
    await retention.harness.grant()
    for _ in range(5):
        await retention.harness.erase(await retention.harness.media())
    names = [f"purgeOrders/{order.id}" for order in await retention.harness.orders("ingest")]
    set_aside = PostgresSetAside(pool)
    executed = Executed(KeyError("a defect"), QueryCanceled("statement timeout"), _denied(), DependencyUnavailable("x"))
    async with connect_bus(nats["ingest"]) as bus:
        loop = PurgeLoop(await retention.as_service("ingest"), "ingest", bus, executed, sweeps, set_aside)
        assert await loop.sweep() == 1
        assert {(each.item, each.reason) for each in await set_aside.all()} == {
            (names[0], "KeyError"),
            (names[2], "S3Error"),
        }
        executed.fail(QueryCanceled("statement timeout"))
        assert await loop.sweep() == 1
        assert {each.item for each in await set_aside.all()} == {*names[:3]}
        await sweeps.advance(FIRST_PAUSE)
        assert await loop.sweep() == 3
    assert await set_aside.all() == []
    assert await retention.harness.orders("ingest") == []


async def test_an_order_that_cannot_be_read_stops_no_other(
    retention: RunningRetention, nats: Mapping[str, BusSettings], pool: Pool, sweeps: FakeClock
) -> None:
    await retention.harness.grant()
    for _ in range(2):
        await retention.harness.erase(await retention.harness.media())
    first, second = await retention.harness.orders("ingest")
    async with pool.connection() as connection:
        await connection.execute("UPDATE purge_order SET cause = 'OF_TOMORROW' WHERE id = %s", (first.id,))
    executed = Executed()
    async with looping(retention, nats, executed, sweeps):
        assert (await executed.next()).name == f"purgeOrders/{second.id}"


async def test_what_is_set_aside_of_a_person_goes_with_all_that_is_theirs(
    retention: RunningRetention, nats: Mapping[str, BusSettings], pool: Pool, sweeps: FakeClock
) -> None:
    await retention.harness.grant()
    await retention.harness.erase_everything()
    set_aside = PostgresSetAside(pool)
    await set_aside.put("upload", Item("1", ADA), "KeyError", sweeps.now())
    await set_aside.put("upload", Item("2", "another"), "KeyError", sweeps.now())
    async with connect_bus(nats["ingest"]) as bus:
        loop = PurgeLoop(await retention.as_service("ingest"), "ingest", bus, Executed(), sweeps, set_aside)
        assert await loop.sweep() == 1
    assert [each.item for each in await set_aside.all()] == ["2"]


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
        loop = PurgeLoop(await retention.as_service("ingest"), "ingest", bus, executed, sweeps, FakeSetAside())
        assert await loop.sweep() == 101


async def test_without_the_service_nothing_is_lost(
    retention: RunningRetention, nats: Mapping[str, BusSettings], sweeps: FakeClock
) -> None:
    await retention.harness.grant()
    await retention.harness.erase(await retention.harness.media())
    executed = Executed()
    async with connect_bus(nats["ingest"]) as bus:
        loop = PurgeLoop(await retention.as_service("ingest"), "ingest", bus, executed, sweeps, FakeSetAside())
        await retention.stop()
        with pytest.raises(DependencyUnavailable):
            await loop.sweep()
    assert len(await retention.harness.orders("ingest")) == 1
