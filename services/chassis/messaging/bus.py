"""Event bus: NATS JetStream, CloudEvents in binary mode (headers `ce-*`, protobuf body).

The bus is a hint, the database is the truth: an event says that something happened, and carries ids only.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from nats.errors import BadSubjectError, MaxPayloadError
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DiscardPolicy, PubAck, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

from services.chassis.certificates.trust import NATS_CA_SETTING, unavailable
from services.chassis.errors import DependencyUnavailable
from services.chassis.messaging.bus_client import BusClient
from services.chassis.messaging.events import EventRefused, OutgoingEvent
from services.chassis.settings import BusSettings

EVENT_MAX_AGE = timedelta(days=7)
"""A stream forgets events older than this; whatever a consumer has not got by then, the outbox sends again."""
DUPLICATE_WINDOW = timedelta(minutes=10)
"""An event published again within this time, with the same id, is stored once."""

_CONNECT_SECONDS = 30.0
_ACK_SECONDS = 5.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class EventStream:
    """The stream of an emitting service's events.

    Attributes:
        name: In capitals, such as `INGEST`.
        subjects: What it stores, such as `pellicule.internal.ingest.v1.>`.
        consumers: Durable names of those for whom an event is kept until they have it. Who only takes a hint, and
            looks again by itself, is none of them.
    """

    name: str
    subjects: Sequence[str]
    consumers: Sequence[str] = ()


@dataclass(frozen=True)
class StreamState:
    """What a stream holds at a moment.

    Attributes:
        incarnation: When it was made: a stream that was lost and made again has another one.
        first: Sequence of the oldest event that is in it.
        last: Sequence of the newest event that ever was in it.
        heard: Every consumer has what bears this sequence or a smaller one.
    """

    incarnation: datetime
    first: int
    last: int
    heard: int


@dataclass(frozen=True)
class Stored:
    """An event that the bus has stored.

    Attributes:
        sequence: Its place in the stream.
        repeated: Whether it was there already.
    """

    sequence: int
    repeated: bool


class Bus:
    """A connection to the event bus."""

    def __init__(self, client: BusClient, replicas: int = 1) -> None:
        self._client = client
        self._replicas = replicas
        self._jetstream: JetStreamContext = client.jetstream(timeout=_ACK_SECONDS)
        self._consumers: dict[str, str] = {}

    @property
    def jetstream(self) -> JetStreamContext:
        """The JetStream context, for consumers."""
        return self._jetstream

    @property
    def replicas(self) -> int:
        """Servers that keep each stream, and the consumers on it."""
        return self._replicas

    @property
    def connected(self) -> bool:
        """Whether the server can be reached now."""
        return bool(self._client.is_connected)

    async def ensure_stream(self, name: str, subjects: Sequence[str]) -> None:
        """Make the stream of an emitting service, or bring its settings up to date.

        Args:
            name: In capitals, such as `INGEST`.
            subjects: What it stores, such as `pellicule.internal.ingest.v1.>`.

        Raises:
            DependencyUnavailable: the bus does not answer.
        """
        config = StreamConfig(
            name=name,
            subjects=list(subjects),
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
            max_age=EVENT_MAX_AGE.total_seconds(),
            duplicate_window=DUPLICATE_WINDOW.total_seconds(),
            num_replicas=self._replicas,
        )
        try:
            await self._add_or_update(config)
        except NatsError as error:
            raise DependencyUnavailable.of("event-bus") from error

    async def state(self, stream: EventStream) -> StreamState:
        """Return what a stream holds, and how far its consumers are.

        Raises:
            DependencyUnavailable: the bus does not answer, or has no such stream.
        """
        try:
            before = await self._jetstream.stream_info(stream.name)
            heard = [await self._heard(stream.name, name, before.state.last_seq) for name in stream.consumers]
            # Looked at once more: what was lost in between was not heard, however little its consumers wait for.
            after = await self._jetstream.stream_info(stream.name)
        except NatsError as error:
            raise DependencyUnavailable.of("event-bus") from error
        if before.created is None or before.created != after.created:
            raise DependencyUnavailable.of("event-bus")
        return StreamState(
            incarnation=after.created,
            first=after.state.first_seq,
            last=after.state.last_seq,
            heard=min(heard, default=before.state.last_seq),
        )

    async def add_consumer(self, stream: str, config: ConsumerConfig) -> JetStreamContext.PullSubscription:
        """Make a durable consumer, or bring its settings up to date, and return its subscription."""
        await self.ensure_consumer(stream, config)
        return await self._jetstream.pull_subscribe_bind(str(config.durable_name), stream)

    async def ensure_consumer(self, stream: str, config: ConsumerConfig) -> None:
        """Make a durable consumer, or bring its settings up to date; its subscriptions go on."""
        await self._jetstream.add_consumer(stream, config)
        self._consumers[str(config.durable_name)] = stream

    async def pending(self) -> list[tuple[str, int]]:
        """Return the name of each consumer of this process, and how many events it has not handled."""
        infos = [await self._jetstream.consumer_info(stream, name) for name, stream in self._consumers.items()]
        return [(info.name, (info.num_pending or 0) + (info.num_ack_pending or 0)) for info in infos]

    async def publish(
        self, event: OutgoingEvent, *, headers: Mapping[str, str] | None = None, time: datetime | None = None
    ) -> None:
        """Publish one event and return when the bus has stored it.

        Raises:
            DependencyUnavailable: it is not known to be stored; publish it again with the same id.
        """
        await (await self.publish_soon(event, headers=headers, time=time))

    async def publish_soon(
        self, event: OutgoingEvent, *, headers: Mapping[str, str] | None = None, time: datetime | None = None
    ) -> asyncio.Task[Stored]:
        """Send one event and return a task that ends when the bus has stored it.

        Events sent one after the other are stored in that order.

        Raises:
            EventRefused: the bus takes no such event, as the task may raise as well.
        """
        try:
            stored = await self._jetstream.publish_async(
                event.type,
                event.body,
                wait_stall=_ACK_SECONDS,
                headers={**event.headers(time or datetime.now(UTC)), **(headers or {})},
            )
        except (MaxPayloadError, BadSubjectError, ValueError) as error:
            raise EventRefused(event.type) from error
        except (NatsError, TimeoutError) as error:
            raise DependencyUnavailable.of("event-bus") from error
        return asyncio.create_task(_stored(stored))

    async def _heard(self, stream: str, consumer: str, last: int) -> int:
        try:
            info = await self._jetstream.consumer_info(stream, consumer)
        except NotFoundError:
            return 0
        waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
        # The floor stays below events of types that the consumer does not want.
        floor = info.ack_floor.stream_seq if info.ack_floor is not None else 0
        return floor if waiting else last

    async def _add_or_update(self, config: StreamConfig) -> None:
        try:
            await self._jetstream.stream_info(config.name)
        except NotFoundError:
            await self._jetstream.add_stream(config)
        else:
            await self._jetstream.update_stream(config)


@asynccontextmanager
async def connect_bus(settings: BusSettings) -> AsyncIterator[Bus]:
    """Connect for the time of the block; reconnects for as long as it takes.

    Raises:
        DependencyUnavailable: no server within 30 s, or one that cannot be trusted.
        CertificateRefused: there is no whole certificate in PELLICULE_NATS_CA_FILE.
    """
    client = BusClient(settings.nats_ca_file)
    connecting = asyncio.ensure_future(_connect(client, settings.nats_url.get_secret_value()))
    try:
        await _connected_or_distrusted(connecting, client)
        yield Bus(client, settings.nats_replicas)
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await client.close()


async def _connect(client: BusClient, url: str) -> None:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await client.connect(
                url,
                inbox_prefix=inbox_prefix(url),
                error_cb=client.note_error,
                disconnected_cb=_on_disconnect,
                reconnected_cb=_on_reconnect,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.5,
                connect_timeout=2,
            )
    except (NatsError, TimeoutError, OSError) as error:
        raise unavailable("event-bus", NATS_CA_SETTING, error) from error


async def _connected_or_distrusted(connecting: asyncio.Future[None], client: BusClient) -> None:
    """Wait for the connection; a server that is not trusted now is none in half a minute either."""
    either: set[asyncio.Future[Any]] = {connecting, client.distrust}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if client.distrust.done():
        raise client.distrust.result()
    await connecting


def inbox_prefix(url: str) -> str:
    """Return what the names of a user's inboxes begin with: the bus lets no other listen there."""
    user = urlsplit(url).username
    return f"_INBOX_{user}" if user else "_INBOX"


async def _stored(acknowledgement: asyncio.Future[PubAck]) -> Stored:
    try:
        async with asyncio.timeout(_ACK_SECONDS):
            stored = await acknowledgement
            return Stored(sequence=stored.seq, repeated=bool(stored.duplicate))
    except BadRequestError as error:
        raise EventRefused(error.description) from error
    except (NatsError, TimeoutError) as error:
        raise DependencyUnavailable.of("event-bus") from error


async def _on_disconnect() -> None:
    _log.warning("bus_disconnected")


async def _on_reconnect() -> None:
    _log.info("bus_reconnected")
