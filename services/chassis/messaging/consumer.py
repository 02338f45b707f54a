"""Consumers of the bus: durable, idempotent with the inbox, and never stuck on one bad event."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import psycopg
import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import FetchTimeoutError, NotFoundError
from psycopg_pool import PoolTimeout

from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.failed_work.dead_letters import DeadLetters
from services.chassis.loops import Wall, heed_cancellation
from services.chassis.messaging.bus import Bus
from services.chassis.messaging.deliveries import Deliveries, Handle
from services.chassis.messaging.events import IncomingEvent
from services.chassis.messaging.inbox import first_time
from services.chassis.metrics import Measurements

__all__ = ["Consumer", "IncomingEvent", "first_time"]

_FETCH_SECONDS = 5.0
_HEARTBEAT_SECONDS = 2.0
_STREAM_POLL_SECONDS = 0.5
_RETRY_SECONDS = 1.0
_LETTERS_SECONDS = 10.0
"""Pause between two looks at the dead letters of which an operator asked a new attempt."""

_log = structlog.get_logger()


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
        self._concurrency = concurrency
        self._ack_wait = ack_wait
        self._measurements = measurements or Measurements()
        letters = None if pool is None else DeadLetters(pool)
        self._deliveries = Deliveries(durable, handle, ack_wait, max_deliver, letters, self._measurements)

    async def run(self) -> None:
        """Consume for as long as it runs; waits for the stream and through outages of the bus."""
        consuming, looking = (Wall(self._durable, SystemClock(), self._measurements) for _ in range(2))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(consuming.repeat(self._subscribe_and_consume, _RETRY_SECONDS))
            tasks.create_task(looking.repeat(self._deliveries.look_after_letters, _LETTERS_SECONDS))

    async def _subscribe_and_consume(self) -> None:
        try:
            subscription = await self._subscribe()
            await self._consume(subscription)
        except (NatsError, TimeoutError, psycopg.OperationalError, PoolTimeout) as error:
            _log.warning("consumer_waits", stream=self._stream, consumer=self._durable, exc_info=error)

    def _config(self) -> ConsumerConfig:
        # The server's own limit of deliveries would leave a message in the stream without a word when the
        # process dies at the last one; so the server has none, and we count.
        return ConsumerConfig(
            name=self._durable,
            durable_name=self._durable,
            filter_subjects=self._types,
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.ALL,
            ack_wait=self._ack_wait.total_seconds(),
            max_deliver=-1,
        )

    async def _subscribe(self) -> JetStreamContext.PullSubscription:
        while True:
            heed_cancellation()
            try:
                return await self._bus.add_consumer(self._stream, self._config())
            except NotFoundError:
                await asyncio.sleep(_STREAM_POLL_SECONDS)

    async def _consume(self, subscription: JetStreamContext.PullSubscription) -> None:
        slots = asyncio.Semaphore(self._concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    heed_cancellation()
                    await slots.acquire()
                    message = await self._next(subscription)
                    if message is None:
                        slots.release()
                        continue
                    task = group.create_task(self._deliver(message))
                    task.add_done_callback(lambda _: slots.release())
        except* (NatsError, TimeoutError, psycopg.OperationalError, PoolTimeout) as errors:
            raise _first(errors) from None
        finally:
            await _leave(subscription)

    async def _next(self, subscription: JetStreamContext.PullSubscription) -> Msg | None:
        """Return the next message; None if there is none yet, or the bus had to be told again who asks."""
        try:
            return (await subscription.fetch(1, timeout=_FETCH_SECONDS, heartbeat=_HEARTBEAT_SECONDS))[0]
        except FetchTimeoutError:
            return None
        except (NatsError, TimeoutError):  # no sign of life: the consumer may be gone, with the stream or without
            await self._make_again()
            return None

    async def _make_again(self) -> None:
        while True:
            heed_cancellation()
            try:
                return await self._bus.ensure_consumer(self._stream, self._config())
            except (NotFoundError, TimeoutError):
                await asyncio.sleep(_STREAM_POLL_SECONDS)

    async def _deliver(self, message: Msg) -> None:
        try:
            await self._deliveries.deliver(message)
        except (NatsError, TimeoutError, psycopg.OperationalError, PoolTimeout):
            raise
        except Exception as error:  # noqa: BLE001  # one message never stops the others
            _log.error("delivery_failed", stream=self._stream, consumer=self._durable, exc_info=error)
            await message.nak(delay=_LETTERS_SECONDS)


async def _leave(subscription: JetStreamContext.PullSubscription) -> None:
    """End the subscription, so that the server delivers no more to it."""
    with suppress(NatsError):
        await subscription.unsubscribe()


def _first(errors: BaseExceptionGroup[Exception]) -> Exception:
    """Return one of the errors that ended the consumption; they tell the same story."""
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
