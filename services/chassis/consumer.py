"""Consumers of the bus: durable, idempotent with the inbox, and never stuck on one bad event."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import psycopg
import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from psycopg_pool import PoolTimeout

from services.chassis.bus import Bus
from services.chassis.database import Pool
from services.chassis.dead_letters import dead_letter
from services.chassis.error_details import as_domain_error
from services.chassis.errors import DomainError, Status
from services.chassis.events import EventMalformed, IncomingEvent
from services.chassis.inbox import first_time
from services.chassis.metrics import EVENT_DELAY, EVENTS, Measurements
from services.chassis.telemetry import consumer_span

__all__ = ["Consumer", "IncomingEvent", "first_time"]

OUTAGE_PATIENCE = 10
"""Deliveries that end because something else is down count a tenth: an outage must not cost work."""

_FETCH_SECONDS = 5.0
_STREAM_POLL_SECONDS = 0.5
_RETRY_SECONDS = 1.0
_LONGEST_DELAY_SECONDS = 60.0

_OUTAGES = frozenset({Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED})

_log = structlog.get_logger()

Handle = Callable[[IncomingEvent], Awaitable[None]]


class Consumer:
    """Hands the events of a stream to a function, each until it returns once without an error.

    The message is acknowledged after `handle` returns, kept while it runs, and delivered again later when it
    raises; after `max_deliver` failures it becomes a dead letter. Deliveries may repeat: `handle` writes
    `first_time` with its effect.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        stream: str,
        durable: str,
        types: Sequence[str],
        handle: Handle,
        concurrency: int = 1,
        ack_wait: timedelta = timedelta(seconds=30),
        max_deliver: int = 8,
        pool: Pool | None = None,
        measurements: Measurements | None = None,
    ) -> None:
        """Describe the consumer; `run` starts it.

        Args:
            bus: Where from.
            stream: Name of the stream; it may come into being later.
            durable: Name of this consumer; replicas share it and the work.
            types: Event types it wants.
            handle: Does the work for one event; a `DomainError` with `retry_after` says when to try again,
                other failures and outages wait ever longer, up to a minute.
            concurrency: Events in work at a time; when it is 1 they come in order, but for repeated ones.
            ack_wait: How long the bus waits for a sign of life before it delivers again.
            max_deliver: Failures after which an event becomes a dead letter.
            pool: Database with the table `dead_letter`; without it a dead letter is only logged.
            measurements: Replaces the process's own.
        """
        self._bus = bus
        self._stream = stream
        self._durable = durable
        self._types = list(types)
        self._handle = handle
        self._concurrency = concurrency
        self._ack_wait = ack_wait
        self._max_deliver = max_deliver
        self._pool = pool
        self._measurements = measurements or Measurements()

    async def run(self) -> None:
        """Consumes for as long as it runs; waits for the stream and through outages of the bus."""
        while True:
            try:
                subscription = await self._subscribe()
                await self._consume(subscription)
            except (NatsError, TimeoutError, psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("consumer_waits", stream=self._stream, consumer=self._durable, exc_info=error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _subscribe(self) -> JetStreamContext.PullSubscription:
        # The server's own limit of deliveries would leave a message in the stream without a word when the
        # process dies at the last one; so the server has none, and we count.
        config = ConsumerConfig(
            name=self._durable,
            durable_name=self._durable,
            filter_subjects=self._types,
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.ALL,
            ack_wait=self._ack_wait.total_seconds(),
            max_deliver=-1,
        )
        while True:
            try:
                return await self._bus.add_consumer(self._stream, config)
            except NotFoundError:
                await asyncio.sleep(_STREAM_POLL_SECONDS)

    async def _consume(self, subscription: JetStreamContext.PullSubscription) -> None:
        slots = asyncio.Semaphore(self._concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await slots.acquire()
                    message = await _next(subscription)
                    if message is None:
                        slots.release()
                        continue
                    task = group.create_task(self._deliver(message))
                    task.add_done_callback(lambda _: slots.release())
        except* (NatsError, TimeoutError, psycopg.OperationalError, PoolTimeout) as errors:
            raise _first(errors) from None
        finally:
            await _leave(subscription)

    async def _deliver(self, message: Msg) -> None:
        try:
            event = IncomingEvent.from_message(message.headers or {}, message.data)
        except EventMalformed as error:
            _log.error("event_malformed", stream=self._stream, consumer=self._durable, exc_info=error)
            await message.term()
            return
        if message.metadata.num_delivered > self._max_deliver * OUTAGE_PATIENCE:
            await self._give_up(message, event, "TOO_MANY_DELIVERIES")
        else:
            await self._attempt(message, event)

    async def _attempt(self, message: Msg, event: IncomingEvent) -> None:
        try:
            with consumer_span(event.type, dict(message.headers or {})):
                async with _kept(message, self._ack_wait):
                    await self._handle(event)
        except asyncio.CancelledError:
            with suppress(NatsError):
                await message.nak()  # another replica, or this one after its restart, need not wait
            raise
        except Exception as error:  # noqa: BLE001  # the worker's outer wall: a failure is retried or becomes a dead letter
            await self._retry_or_give_up(message, event, error)
        else:
            await message.ack()
            self._count("handled")
            self._measurements.measure(EVENT_DELAY, _milliseconds_since(event.time), {"consumer": self._durable})

    async def _retry_or_give_up(self, message: Msg, event: IncomingEvent, error: Exception) -> None:
        deliveries = message.metadata.num_delivered
        reason = error.reason if isinstance(error, DomainError) else type(error).__name__
        if deliveries >= self._max_deliver * (OUTAGE_PATIENCE if _is_outage(error) else 1):
            await self._give_up(message, event, reason, error)
            return
        delay = _delay_seconds(error, deliveries)
        _log.warning(
            "event_retried",
            **self._fields(event),
            reason=reason,
            delivery=deliveries,
            delay_ms=round(delay * 1000),
            exc_info=error,
        )
        self._count("retried")
        await message.nak(delay=delay)

    async def _give_up(self, message: Msg, event: IncomingEvent, reason: str, error: Exception | None = None) -> None:
        deliveries = message.metadata.num_delivered
        if self._pool is not None:
            await dead_letter(self._pool, self._durable, event, deliveries=deliveries, reason=reason)
        self._count("dead_lettered")
        _log.error("event_dead_lettered", **self._fields(event), reason=reason, delivery=deliveries, exc_info=error)
        await message.term()

    def _count(self, outcome: str) -> None:
        self._measurements.measure(EVENTS, 1, {"consumer": self._durable, "outcome": outcome})

    def _fields(self, event: IncomingEvent) -> dict[str, str]:
        return {"consumer": self._durable, "event_id": event.id, "event_type": event.type}


@asynccontextmanager
async def _kept(message: Msg, ack_wait: timedelta) -> AsyncIterator[None]:
    """Tells the bus, for the time of the block, that the work goes on."""
    keeping = asyncio.create_task(_keep(message, ack_wait.total_seconds() / 3))
    try:
        yield
    finally:
        keeping.cancel()


async def _keep(message: Msg, every_seconds: float) -> None:
    while True:
        await asyncio.sleep(every_seconds)
        with suppress(NatsError):  # the bus is away: it delivers again, and the inbox drops what is done
            await message.in_progress()


async def _next(subscription: JetStreamContext.PullSubscription) -> Msg | None:
    try:
        return (await subscription.fetch(1, timeout=_FETCH_SECONDS))[0]
    except TimeoutError:
        return None


async def _leave(subscription: JetStreamContext.PullSubscription) -> None:
    """End the subscription, so that the server delivers no more to it."""
    with suppress(NatsError):
        await subscription.unsubscribe()


def _milliseconds_since(time: datetime) -> float:
    return max((datetime.now(UTC) - time).total_seconds(), 0.0) * 1000


def _is_outage(error: Exception) -> bool:
    return as_domain_error(error).status in _OUTAGES


def _delay_seconds(error: Exception, deliveries: int) -> float:
    if isinstance(error, DomainError) and error.retry_after is not None and not _is_outage(error):
        return error.retry_after.total_seconds()
    return float(min(2 ** min(deliveries - 1, 10), _LONGEST_DELAY_SECONDS))


def _first(errors: BaseExceptionGroup[Exception]) -> Exception:
    """Return one of the errors that ended the consumption; they tell the same story."""
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
