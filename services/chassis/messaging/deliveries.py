"""Deliveries of events: each is handled, tried again later, or becomes a dead letter; none stops the others."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from services.chassis.error_details import failure_reason, is_outage
from services.chassis.errors import DomainError
from services.chassis.failed_work.dead_letters import DeadLetter, DeadLetters
from services.chassis.messaging.events import EventMalformed, IncomingEvent
from services.chassis.metrics import EVENT_DELAY, EVENT_DURATION, EVENTS, Attributes, Measurements
from services.chassis.telemetry.spans import consumer_span

OUTAGE_PATIENCE = 10
"""Deliveries that end because something else is down count a tenth: an outage must not cost work."""
_LONGEST_DELAY_SECONDS = 60.0
_RETRIES_AT_A_TIME = 100
_NO_ERROR: Attributes = {}

_log = structlog.stdlib.get_logger()

Handle: TypeAlias = Callable[[IncomingEvent], Awaitable[None]]


@dataclass(frozen=True)
class Deliveries:
    """What a consumer does with each message.

    Attributes:
        consumer: Durable name.
        handle: Does the work for one event.
        ack_wait: How long the bus waits for a sign of life.
        max_deliver: Failures after which an event becomes a dead letter.
        letters: Where dead letters are kept; without it they are only logged.
        measurements: Counts the outcomes.
    """

    consumer: str
    handle: Handle
    ack_wait: timedelta
    max_deliver: int
    letters: DeadLetters | None
    measurements: Measurements

    async def deliver(self, message: Msg) -> None:
        """Handle a message, or see to it that it comes again.

        Raises:
            Exception: the bus, or the database of the dead letters, does not answer.
        """
        try:
            event = IncomingEvent.from_message(message.headers or {}, message.data)
        except EventMalformed:
            await self._give_up(message, _unreadable(message), "EVENT_MALFORMED")
            return
        if message.metadata.num_delivered > self.max_deliver * OUTAGE_PATIENCE:
            await self._give_up(message, event, "TOO_MANY_DELIVERIES")
        else:
            await self._attempt(message, event)

    async def look_after_letters(self) -> None:
        """Forget old dead letters, and handle those again of which an operator asked it; one that fails stays."""
        if self.letters is None:
            return
        await self.letters.forget_old(datetime.now(UTC))
        for letter in await self.letters.asked_again(self.consumer, _RETRIES_AT_A_TIME):
            await self._handle_again(letter, self.letters)

    async def _attempt(self, message: Msg, event: IncomingEvent) -> None:
        began = time.monotonic()
        try:
            with consumer_span(event.type, event.id, self.consumer, dict(message.headers or {})):
                async with _kept(message, self.ack_wait):
                    await self.handle(event)
        except asyncio.CancelledError:
            with suppress(NatsError):
                await message.nak()  # another replica, or this one after its restart, need not wait
            raise
        except Exception as error:  # noqa: BLE001  # the worker's outer wall: a failure is retried or becomes a dead letter
            self._measure(event, began, {"error.type": failure_reason(error)})
            await self._retry_or_give_up(message, event, error)
        else:
            self._measure(event, began)
            await message.ack()
            self._count("handled")
            self.measurements.measure(EVENT_DELAY, _seconds_since(event.time), {"consumer": self.consumer})

    async def _retry_or_give_up(self, message: Msg, event: IncomingEvent, error: Exception) -> None:
        deliveries = message.metadata.num_delivered
        if deliveries >= self.max_deliver * (OUTAGE_PATIENCE if is_outage(error) else 1):
            await self._give_up(message, event, failure_reason(error), error)
            return
        delay = _delay_seconds(error, deliveries)
        _log.warning(
            "event_retried",
            **self._fields(event),
            reason=failure_reason(error),
            delivery=deliveries,
            delay_ms=round(delay * 1000),
            exc_info=error,
        )
        self._count("retried")
        await message.nak(delay=delay)

    async def _give_up(self, message: Msg, event: IncomingEvent, reason: str, error: Exception | None = None) -> None:
        deliveries = message.metadata.num_delivered
        if self.letters is not None:
            await self.letters.put(DeadLetter.of(self.consumer, event, deliveries=deliveries, reason=reason))
        self._count("dead_lettered")
        _log.error("event_dead_lettered", **self._fields(event), reason=reason, delivery=deliveries, exc_info=error)
        await message.term()

    async def _handle_again(self, letter: DeadLetter, letters: DeadLetters) -> None:
        try:
            await self.handle(letter.event)
        except Exception as error:  # noqa: BLE001  # the same wall: the letter stays
            deliveries = letter.deliveries + 1
            await letters.put(replace(letter, deliveries=deliveries, reason=failure_reason(error)))
            _log.error("event_dead_lettered", **self._fields(letter.event), delivery=deliveries, exc_info=error)
        else:
            await letters.delete(letter.consumer, letter.event.id)
            self._count("handled")

    def _measure(self, event: IncomingEvent, began: float, outcome: Attributes = _NO_ERROR) -> None:
        of = {
            "messaging.system": "nats",
            "messaging.operation.name": "process",
            "messaging.destination.name": event.type,
            "messaging.consumer.group.name": self.consumer,
        }
        self.measurements.measure(EVENT_DURATION, time.monotonic() - began, {**of, **outcome})

    def _count(self, outcome: str) -> None:
        self.measurements.measure(EVENTS, 1, {"consumer": self.consumer, "outcome": outcome})

    def _fields(self, event: IncomingEvent) -> dict[str, str]:
        return {"consumer": self.consumer, "event_id": event.id, "event_type": event.type}


@asynccontextmanager
async def _kept(message: Msg, ack_wait: timedelta) -> AsyncIterator[None]:
    """Tell the bus, for the time of the block, that the work goes on."""
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


def _unreadable(message: Msg) -> IncomingEvent:
    """Return what can be said of a message that is no event: where it stands in its stream."""
    metadata = message.metadata
    place = f"{metadata.stream}/{metadata.sequence.stream}"
    return IncomingEvent(place, message.subject, "", "", metadata.timestamp.replace(tzinfo=UTC), b"")


def _seconds_since(moment: datetime) -> float:
    return max((datetime.now(UTC) - moment).total_seconds(), 0.0)


def _delay_seconds(error: Exception, deliveries: int) -> float:
    if isinstance(error, DomainError) and error.retry_after is not None and not is_outage(error):
        return error.retry_after.total_seconds()
    return float(min(2 ** min(deliveries - 1, 10), _LONGEST_DELAY_SECONDS))
