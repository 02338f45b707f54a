"""What a bus takes with it when it loses what it holds, at every step of an event's way: time, and no event."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import pytest

from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.failed_work.departure import forget_person
from services.chassis.messaging import outbox
from services.chassis.messaging.bus import Bus, EventStream, connect_bus
from services.chassis.messaging.consumer import Consumer, IncomingEvent, first_time
from services.chassis.messaging.outbox import OutgoingEvent
from services.chassis.messaging.relay import OutboxRelay
from services.chassis.settings import BusSettings
from services.chassis.supervision import supervised
from tests.integration.chassis.conftest import SERVICE
from tests.integration.chassis.test_messaging import DELETED, STORED, emit, event, rows
from tests.integration.chassis.test_outages import Restartable, nats
from tests.integration.eventually import eventually

COUNT = 30
NAMES = [str(number) for number in range(COUNT)]
CONSUMER = "hearer"
STREAM = EventStream("INGEST", [f"pellicule.internal.{SERVICE}.v1.>"], consumers=[CONSUMER])


class Hearer:
    """A consumer with an effect for each event, in the order in which they had it; it can be held up."""

    def __init__(self, pool: Pool, bus: Bus) -> None:
        self._pool = pool
        self._consumer = Consumer(bus, stream="INGEST", durable=CONSUMER, types=[STORED], handle=self._hear)
        self.begun = asyncio.Event()
        self.held_up = asyncio.Event()
        self.held_up.set()
        self.heard: list[str] = []

    async def run(self) -> None:
        await self._consumer.run()

    async def _hear(self, incoming: IncomingEvent) -> None:
        self.begun.set()
        await self.held_up.wait()
        async with self._pool.connection() as connection:
            first = await first_time(connection, CONSUMER, incoming.id)
        if first:
            self.heard.append(incoming.body.decode())


class LosableBus:
    """A bus whose disk a test takes away, or gives back as it was."""

    def __init__(self, server: Restartable, folder: Path, settings: BusSettings) -> None:
        self._server = server
        self._disk = folder / "nats"
        self._copy = folder / "copy"
        self.settings = settings

    async def lose_disk(self) -> None:
        await self._server.kill()
        shutil.rmtree(self._disk)
        await self._server.start()

    async def copy_disk(self) -> None:
        await self._server.kill()
        shutil.copytree(self._disk, self._copy)
        await self._server.start()

    async def restore_disk(self) -> None:
        await self._server.kill()
        shutil.rmtree(self._disk)
        self._copy.rename(self._disk)
        await self._server.start()

    async def stop(self) -> None:
        await self._server.kill()

    async def start(self) -> None:
        await self._server.start()


@pytest.fixture
async def losable(tmp_path: Path) -> AsyncIterator[LosableBus]:
    async with nats(tmp_path) as (server, settings):
        yield LosableBus(server, tmp_path, settings)


@pytest.fixture
async def bus(losable: LosableBus) -> AsyncIterator[Bus]:
    async with connect_bus(losable.settings) as bus:
        yield bus


@pytest.fixture
def hearer(pool: Pool, bus: Bus) -> Hearer:
    return Hearer(pool, bus)


@pytest.fixture
async def relay(pool: Pool, bus: Bus) -> AsyncIterator[OutboxRelay]:
    relay = OutboxRelay(pool, bus, SystemClock(), STREAM)
    async with supervised([relay.run]):
        yield relay


async def until_heard(hearer: Hearer, wanted: Iterable[str]) -> None:
    names = set(wanted)

    async def heard() -> set[str]:
        return set(hearer.heard)

    await eventually(heard, lambda each: each == names)


async def until_kept(pool: Pool, sent: int) -> None:
    async def kept() -> list[tuple[object, ...]]:
        return await rows(pool, "SELECT sequence IS NOT NULL FROM outbox")

    await eventually(kept, lambda each: each == [(True,)] * sent)


async def bring_out(pool: Pool, names: Iterable[str]) -> None:
    await emit(pool, *(event(name.encode()) for name in names))


@pytest.mark.usefixtures("relay")
async def test_a_bus_that_loses_its_disk_before_a_consumer_heard_anything_loses_nothing(
    pool: Pool, losable: LosableBus, hearer: Hearer
) -> None:
    await bring_out(pool, NAMES)
    await until_kept(pool, sent=COUNT)
    await losable.lose_disk()
    async with supervised([hearer.run]):
        await until_heard(hearer, NAMES)
    assert hearer.heard == NAMES


@pytest.mark.usefixtures("relay")
async def test_a_bus_that_loses_its_disk_while_it_is_heard_loses_nothing(
    pool: Pool, losable: LosableBus, hearer: Hearer
) -> None:
    async with supervised([hearer.run]):
        hearer.held_up.clear()
        await bring_out(pool, NAMES)
        await until_kept(pool, sent=COUNT)
        await hearer.begun.wait()
        await losable.lose_disk()
        hearer.held_up.set()
        await until_heard(hearer, NAMES)
    assert hearer.heard == NAMES


@pytest.mark.usefixtures("relay")
async def test_a_bus_that_loses_its_disk_when_all_is_heard_goes_on(
    pool: Pool, losable: LosableBus, hearer: Hearer
) -> None:
    async with supervised([hearer.run]):
        await bring_out(pool, NAMES)
        await until_heard(hearer, NAMES)
        await until_kept(pool, sent=0)
        await losable.lose_disk()
        await bring_out(pool, ["after"])
        await until_heard(hearer, [*NAMES, "after"])
    assert hearer.heard == [*NAMES, "after"]


@pytest.mark.usefixtures("relay")
async def test_what_was_written_while_the_bus_was_away_comes_after_what_it_lost(
    pool: Pool, losable: LosableBus, hearer: Hearer
) -> None:
    await bring_out(pool, NAMES)
    await until_kept(pool, sent=COUNT)
    await losable.stop()
    await bring_out(pool, ["after"])
    await losable.start()
    await losable.lose_disk()
    async with supervised([hearer.run]):
        await until_heard(hearer, [*NAMES, "after"])
    assert hearer.heard == [*NAMES, "after"]


@pytest.mark.usefixtures("relay")
async def test_a_bus_that_comes_back_with_an_older_disk_loses_nothing(
    pool: Pool, losable: LosableBus, hearer: Hearer
) -> None:
    await bring_out(pool, NAMES[:10])
    await until_kept(pool, sent=10)
    await losable.copy_disk()
    await bring_out(pool, NAMES[10:])
    await until_kept(pool, sent=COUNT)
    await losable.restore_disk()
    async with supervised([hearer.run]):
        await until_heard(hearer, NAMES)
    assert hearer.heard == NAMES


async def test_places_that_an_older_disk_gives_away_again_displace_nobody(
    pool: Pool, losable: LosableBus, bus: Bus, hearer: Hearer
) -> None:
    relay = OutboxRelay(pool, bus, SystemClock(), STREAM)
    await bring_out(pool, NAMES[:10])
    await relay.publish_pending()
    await losable.copy_disk()
    await bring_out(pool, NAMES[10:])
    await relay.publish_pending()
    await losable.restore_disk()
    later = [f"later-{name}" for name in NAMES]
    await bring_out(pool, later)  # as many as were lost, and before anybody looks
    await eventually(lambda: attempt(relay.publish_pending), bool)
    async with supervised([relay.run, hearer.run]):
        await until_heard(hearer, [*NAMES, *later])


async def attempt(publish: Callable[[], Awaitable[int]]) -> int:
    try:
        return await publish()
    except DependencyUnavailable:  # the connection comes back in its time
        return 0


Loss: TypeAlias = Callable[[Bus], Awaitable[object]]


@pytest.mark.usefixtures("relay")
@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(lambda bus: bus.jetstream.purge_stream("INGEST"), id="purged stream"),
        pytest.param(lambda bus: bus.jetstream.delete_stream("INGEST"), id="deleted stream"),
        pytest.param(lambda bus: bus.jetstream.delete_consumer("INGEST", CONSUMER), id="deleted consumer"),
    ],
)
async def test_what_is_taken_from_the_bus_is_made_again_and_sent_again(
    pool: Pool, bus: Bus, hearer: Hearer, lose: Loss
) -> None:
    async with supervised([hearer.run]):
        hearer.held_up.clear()
        await bring_out(pool, NAMES)
        await until_kept(pool, sent=COUNT)
        await hearer.begun.wait()
        await lose(bus)
        hearer.held_up.set()
        await bring_out(pool, ["after"])
        await until_heard(hearer, [*NAMES, "after"])
        await until_kept(pool, sent=0)


@pytest.mark.usefixtures("relay")
async def test_an_event_is_kept_until_its_consumer_has_it_and_no_longer(pool: Pool, hearer: Hearer) -> None:
    await emit(pool, event(b"wanted"), event(b"unwanted", DELETED))
    await until_kept(pool, sent=2)
    async with supervised([hearer.run]):
        await until_kept(pool, sent=0)
    assert hearer.heard == ["wanted"]


async def test_an_event_that_a_consumer_never_gets_is_given_up_in_the_end(pool: Pool, relay: OutboxRelay) -> None:
    await bring_out(pool, ["old", "new"])
    await until_kept(pool, sent=2)
    async with pool.connection() as connection:
        old = {"time": datetime.now(UTC) - outbox.KEEP - timedelta(hours=1), "body": b"old"}
        await connection.execute("UPDATE outbox SET create_time = %(time)s WHERE body = %(body)s", old)
        assert await outbox.give_up_unheard(connection) == 1
    assert await rows(pool, "SELECT body FROM outbox") == [(b"new",)]


async def test_a_persons_events_go_with_their_account(pool: Pool) -> None:
    ann, bob = (OutgoingEvent(STORED, f"media/{uuid4()}", name, person=name.decode()) for name in (b"ann", b"bob"))
    await emit(pool, ann, bob, event(b"nobody's"))
    until = datetime.now(UTC) + timedelta(seconds=1)
    async with pool.connection() as connection:
        await forget_person(connection, "ann", until)
        await forget_person(connection, "bob", until - timedelta(hours=1))
    assert await rows(pool, "SELECT body FROM outbox ORDER BY position") == [(b"bob",), (b"nobody's",)]
