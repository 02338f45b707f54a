import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from pydantic import SecretStr

from deploy.local.parts.nats import nats_server
from pellicule.internal.ingest.v1 import media_stored_pb2
from services.chassis.clock import SystemClock
from services.chassis.database import Pool, subject_lock
from services.chassis.errors import DependencyUnavailable, DomainError, Status
from services.chassis.failed_work.set_aside import PostgresSetAside, forget_person
from services.chassis.messaging.bus import Bus, EventStream, connect_bus
from services.chassis.messaging.consumer import Consumer, IncomingEvent, first_time
from services.chassis.messaging.outbox import OutgoingEvent, append
from services.chassis.messaging.relay import OutboxRelay
from services.chassis.metrics import EVENT_DELAY, EVENTS, Measurements
from services.chassis.settings import BusSettings
from services.chassis.supervision import supervised
from tests.fakes.measured import points
from tests.integration.chassis.conftest import SERVICE
from tests.integration.eventually import eventually

STREAM = EventStream("INGEST", [f"pellicule.internal.{SERVICE}.v1.>"])
STORED = f"pellicule.internal.{SERVICE}.v1.MediaStored"
DELETED = f"pellicule.internal.{SERVICE}.v1.MediaDeleted"


class NotYet(DomainError):
    status = Status.FAILED_PRECONDITION
    reason = "NOT_YET"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BusSettings]:
    async with nats_server(tmp_path_factory.mktemp("nats"), [SERVICE]) as server:
        yield BusSettings(nats_url=SecretStr(server.url(SERVICE)))


@pytest.fixture
async def bus(nats: BusSettings) -> AsyncIterator[Bus]:
    async with connect_bus(nats) as bus:
        await bus.ensure_stream("INGEST", [f"pellicule.internal.{SERVICE}.v1.>"])
        await bus.jetstream.purge_stream("INGEST")
        yield bus


class Inbound:
    """Records what is handled, and fails as often as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.events: asyncio.Queue[IncomingEvent] = asyncio.Queue()
        self.attempts = 0
        self._failures = list(failures)

    async def __call__(self, event: IncomingEvent) -> None:
        self.attempts += 1
        if self._failures:
            raise self._failures.pop(0)
        await self.events.put(event)

    async def next(self) -> IncomingEvent:
        return await asyncio.wait_for(self.events.get(), 10)


def durable() -> str:
    return f"consumer-{uuid4().hex}"


def event(body: bytes = b"body", type_: str = STORED) -> OutgoingEvent:
    return OutgoingEvent(type=type_, subject=f"media/{uuid4()}", body=body)


async def emit(pool: Pool, *events: OutgoingEvent) -> None:
    async with pool.connection() as connection:
        for one in events:
            await append(connection, one)


async def rows(pool: Pool, query: str) -> list[tuple[object, ...]]:
    async with pool.connection() as connection:
        return await (await connection.execute(query)).fetchall()


async def test_an_event_goes_from_the_transaction_to_the_consumer(pool: Pool, bus: Bus) -> None:
    inbound, sent = Inbound(), event()
    consumer = Consumer(bus, stream="INGEST", durable=durable(), types=[STORED], handle=inbound)
    async with supervised([consumer.run, OutboxRelay(pool, bus, SystemClock(), STREAM).run]):
        await emit(pool, sent)
        got = await inbound.next()
    assert (got.id, got.type, got.subject, got.body) == (str(sent.id), STORED, sent.subject, b"body")
    assert got.source == "/pellicule.internal.ingest.v1"
    assert got.time.tzinfo is not None


async def test_a_transaction_that_fails_emits_nothing(pool: Pool, bus: Bus) -> None:
    async def fail() -> None:
        async with pool.connection() as connection:
            await append(connection, event())
            raise NotYet("the work failed")

    with pytest.raises(NotYet):
        await fail()
    assert await OutboxRelay(pool, bus, SystemClock(), STREAM).publish_pending() == 0


async def test_events_arrive_in_the_order_of_the_outbox(pool: Pool, bus: Bus) -> None:
    inbound, sent = Inbound(), [event(str(number).encode()) for number in range(450)]
    consumer = Consumer(bus, stream="INGEST", durable=durable(), types=[STORED], handle=inbound)
    await emit(pool, *sent)
    assert await OutboxRelay(pool, bus, SystemClock(), STREAM).publish_pending() == 450
    async with supervised([consumer.run]):
        got = [(await inbound.next()).body for _ in sent]
    assert got == [one.body for one in sent]


async def test_a_consumer_gets_the_types_it_wants(pool: Pool, bus: Bus) -> None:
    inbound = Inbound()
    consumer = Consumer(bus, stream="INGEST", durable=durable(), types=[DELETED], handle=inbound)
    await bus.publish(event(b"unwanted", STORED))
    await bus.publish(event(b"wanted", DELETED))
    async with supervised([consumer.run]):
        assert (await inbound.next()).body == b"wanted"


async def test_events_that_the_bus_refuses_are_set_aside_and_the_others_go_out(pool: Pool, bus: Bus) -> None:
    large, odd, good = event(bytes(2 << 20)), event(type_="two words"), event(b"good")
    relay = OutboxRelay(pool, bus, SystemClock(), STREAM)
    await emit(pool, large, odd, good)
    await relay.publish_pending()
    assert (await bus.jetstream.stream_info("INGEST")).state.messages == 1
    aside = await PostgresSetAside(pool).all()
    assert {(each.kind, each.item, each.reason) for each in aside} == {
        ("event", str(large.id), "EventRefused"),
        ("event", str(odd.id), "EventRefused"),
    }
    assert await relay.publish_pending() == 0


async def test_a_crash_between_publish_and_mark_stores_the_event_once(pool: Pool, bus: Bus) -> None:
    sent = event()
    await bus.publish(sent)
    await emit(pool, sent)
    relay = OutboxRelay(pool, bus, SystemClock(), STREAM)
    await relay.publish_pending()
    await relay.look()
    stream = await bus.jetstream.stream_info("INGEST")
    assert stream.state.messages == 1
    assert await rows(pool, "SELECT id FROM outbox") == []


async def test_an_event_delivered_twice_has_its_effect_once(pool: Pool, bus: Bus) -> None:
    sent, name = event(), durable()
    applied: asyncio.Queue[bool] = asyncio.Queue()

    async def handle(incoming: IncomingEvent) -> None:
        async with pool.connection() as connection:
            first = await first_time(connection, name, incoming.id)
            if first:
                await connection.execute("INSERT INTO effect (event_id) VALUES (%s)", (incoming.id,))
        await applied.put(first)
        if first:
            raise NotYet("the answer got lost", retry_after=timedelta(milliseconds=10))

    consumer = Consumer(bus, stream="INGEST", durable=name, types=[STORED], handle=handle)
    async with supervised([consumer.run]):
        await bus.publish(sent)
        got = [await asyncio.wait_for(applied.get(), 10) for _ in range(2)]
    assert got == [True, False]
    assert await rows(pool, "SELECT event_id FROM effect") == [(str(sent.id),)]


async def test_a_failed_event_is_delivered_again_after_the_time_it_asked_for(bus: Bus) -> None:
    inbound = Inbound(NotYet("too early", retry_after=timedelta(milliseconds=50)))
    consumer = Consumer(bus, stream="INGEST", durable=durable(), types=[STORED], handle=inbound)
    async with supervised([consumer.run]):
        await bus.publish(event())
        await inbound.next()
    assert inbound.attempts == 2


async def test_an_event_that_always_fails_becomes_a_dead_letter(pool: Pool, bus: Bus) -> None:
    name, bad = durable(), event(b"bad")
    tried: asyncio.Queue[bytes] = asyncio.Queue()

    async def handle(incoming: IncomingEvent) -> None:
        await tried.put(incoming.body)
        if incoming.body == b"bad":
            raise NotYet("no", retry_after=timedelta(milliseconds=5))

    consumer = Consumer(bus, stream="INGEST", durable=name, types=[STORED], handle=handle, max_deliver=3, pool=pool)
    async with supervised([consumer.run]):
        await bus.publish(bad)
        attempts = [await asyncio.wait_for(tried.get(), 10) for _ in range(3)]
        await bus.publish(event(b"good"))
        attempts.append(await asyncio.wait_for(tried.get(), 10))
    assert attempts == [b"bad", b"bad", b"bad", b"good"]
    assert await rows(pool, "SELECT consumer, event_id, deliveries, reason FROM dead_letter") == [
        (name, str(bad.id), 3, "NOT_YET")
    ]


async def test_deliveries_are_measured_by_outcome(bus: Bus) -> None:
    reader, name = InMemoryMetricReader(), durable()
    measurements = Measurements(MeterProvider([reader]).get_meter("test"))
    inbound = Inbound(NotYet("no", retry_after=timedelta(milliseconds=5)))
    consumer = Consumer(bus, stream="INGEST", durable=name, types=[STORED], handle=inbound, measurements=measurements)
    async with supervised([consumer.run]):
        await bus.publish(event())
        await inbound.next()
        await eventually(bus.pending, lambda pending: (name, 0) in pending)
    consumed = {"consumer": name}
    assert sorted(points(reader, EVENTS), key=str) == [
        ({**consumed, "outcome": "handled"}, 1),
        ({**consumed, "outcome": "retried"}, 1),
    ]
    assert points(reader, EVENT_DELAY) == [(consumed, 1)]


async def test_an_outage_does_not_cost_an_event(pool: Pool, bus: Bus) -> None:
    inbound = Inbound(DependencyUnavailable.of("object-store"))
    consumer = Consumer(
        bus, stream="INGEST", durable=durable(), types=[STORED], handle=inbound, max_deliver=1, pool=pool
    )
    async with supervised([consumer.run]):
        await bus.publish(event())
        await inbound.next()
    assert await rows(pool, "SELECT 1 FROM dead_letter") == []


async def test_long_work_keeps_its_event(bus: Bus) -> None:
    release, started = asyncio.Event(), asyncio.Queue[str]()

    async def handle(incoming: IncomingEvent) -> None:
        await started.put(incoming.id)
        await release.wait()

    consumer = Consumer(
        bus,
        stream="INGEST",
        durable=durable(),
        types=[STORED],
        handle=handle,
        concurrency=2,
        ack_wait=timedelta(seconds=1),
    )
    async with supervised([consumer.run]):
        await bus.publish(event())
        await asyncio.wait_for(started.get(), 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(started.get(), 2.5)
        release.set()


async def test_a_stopped_consumer_gives_its_event_to_the_next_at_once(bus: Bus) -> None:
    name, started = durable(), asyncio.Event()

    async def hang(_: IncomingEvent) -> None:
        started.set()
        await asyncio.Event().wait()

    await bus.publish(event())
    async with supervised([Consumer(bus, stream="INGEST", durable=name, types=[STORED], handle=hang).run]):
        await asyncio.wait_for(started.wait(), 10)
    inbound = Inbound()
    async with supervised([Consumer(bus, stream="INGEST", durable=name, types=[STORED], handle=inbound).run]):
        await inbound.next()


async def test_a_consumer_waits_for_a_stream_that_is_not_there_yet(bus: Bus) -> None:
    await bus.jetstream.delete_stream("INGEST")
    inbound = Inbound()
    async with supervised([Consumer(bus, stream="INGEST", durable=durable(), types=[STORED], handle=inbound).run]):
        await asyncio.sleep(0)
        await bus.ensure_stream("INGEST", [f"pellicule.internal.{SERVICE}.v1.>"])
        await bus.publish(event())
        await inbound.next()


async def test_a_message_that_is_no_event_becomes_a_dead_letter_without_its_content(pool: Pool, bus: Bus) -> None:
    inbound, name = Inbound(), durable()
    await bus.jetstream.publish(STORED, b"noise")
    await bus.publish(event(b"good"))
    async with supervised(
        [Consumer(bus, stream="INGEST", durable=name, types=[STORED], handle=inbound, pool=pool).run]
    ):
        assert (await inbound.next()).body == b"good"
    assert await rows(pool, "SELECT consumer, type, reason, body FROM dead_letter") == [
        (name, STORED, "EVENT_MALFORMED", b"")
    ]


async def test_a_handler_with_a_defect_stops_no_other_event(pool: Pool, bus: Bus) -> None:
    inbound, name = Inbound(KeyError("x"), RuntimeError("y"), KeyError("z")), durable()
    consumer = Consumer(bus, stream="INGEST", durable=name, types=[STORED], handle=inbound, max_deliver=1, pool=pool)
    async with supervised([consumer.run]):
        for body in (b"1", b"2", b"3", b"good"):
            await bus.publish(event(body))
        assert (await inbound.next()).body == b"good"
    assert await rows(pool, "SELECT reason FROM dead_letter ORDER BY event_time") == [
        ("KeyError",),
        ("RuntimeError",),
        ("KeyError",),
    ]


async def test_a_dead_letter_that_cannot_be_written_stops_no_other_event(pool: Pool, bus: Bus) -> None:
    inbound, name = Inbound(KeyError("x")), durable()
    consumer = Consumer(bus, stream="INGEST", durable=name, types=[STORED], handle=inbound, max_deliver=1, pool=pool)
    async with pool.connection() as connection:
        await connection.execute("ALTER TABLE dead_letter ADD CONSTRAINT nothing CHECK (false)")
    try:
        async with supervised([consumer.run]):
            await bus.publish(event(b"bad"))
            await bus.publish(event(b"good"))
            assert (await inbound.next()).body == b"good"
    finally:
        async with pool.connection() as connection:
            await connection.execute("ALTER TABLE dead_letter DROP CONSTRAINT nothing")


async def test_a_dead_letter_knows_its_person_and_goes_with_them(pool: Pool, bus: Bus) -> None:
    name = durable()
    about = media_stored_pb2.MediaStored(subject="ada")
    sent = OutgoingEvent(type=STORED, subject="media/1", body=about.SerializeToString())
    consumer = Consumer(
        bus, stream="INGEST", durable=name, types=[STORED], handle=Inbound(KeyError("x")), max_deliver=1, pool=pool
    )
    async with supervised([consumer.run]):
        await bus.publish(sent)
        found = await eventually(lambda: rows(pool, "SELECT person, body FROM dead_letter"))
    assert found == [("ada", sent.body)]
    async with pool.connection() as connection:
        await forget_person(connection, "ada")
    assert await rows(pool, "SELECT 1 FROM dead_letter") == []


async def test_a_dead_letter_is_handled_again_when_an_operator_asks(pool: Pool, bus: Bus) -> None:
    inbound, name = Inbound(KeyError("x")), durable()
    consumer = Consumer(bus, stream="INGEST", durable=name, types=[STORED], handle=inbound, max_deliver=1, pool=pool)
    sent = event(media_stored_pb2.MediaStored(subject="ada").SerializeToString())
    async with supervised([consumer.run]):
        await bus.publish(sent)
        await eventually(lambda: rows(pool, "SELECT 1 FROM dead_letter"))
    async with pool.connection() as connection:
        await connection.execute("UPDATE dead_letter SET retry_time = now()")
    async with supervised([consumer.run]):
        assert (await inbound.next()).body == sent.body
        await eventually(lambda: rows(pool, "SELECT 1 FROM dead_letter"), lambda found: not found)


async def test_one_subject_is_worked_on_once_at_a_time(pool: Pool) -> None:
    async with pool.connection() as first, pool.connection() as second, subject_lock(first, "ada"):
        async with subject_lock(second, "bob"):
            pass
        with pytest.raises(Exception, match="lock timeout"):
            async with subject_lock(second, "ada"):
                pass
