"""Work streams: hints that there is work, for whom starts workers by them and for workers that wait.

The database says what is due; a stream holds a hint for each such thing, up to a number, from the moment in which it is
due until it is done. A stream that was lost is right again at the next look.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Never, Self, TypeAlias

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import FetchTimeoutError, NotFoundError

from services.chassis.clock import Clock
from services.chassis.errors import DependencyUnavailable
from services.chassis.loops import Wall, heed_cancellation
from services.chassis.messaging.bus import Bus

MOST_HINTS = 500
"""Hints of a stream; what counts them to start workers has started all that it may long before."""
LOOK_SECONDS = 1.0
"""Time between two comparisons of a stream with the database."""
_ACK_WAIT_SECONDS = 10.0
"""A hint in the hands of a worker that died is another one's after this."""
_HOLD_SECONDS = 1.0
_FETCH_SECONDS = 5.0
_HEARTBEAT_SECONDS = 2.0
_HINT_BYTES = 64

OpenWork: TypeAlias = Callable[[int], Awaitable[int]]
"""Returns how much is due or in hand, counted up to a number."""


@dataclass(frozen=True)
class WorkStream:
    """A stream of hints, and the consumer that all workers share.

    Attributes:
        name: In capitals, such as `ANALYSIS_WORK`.
        subject: What it stores.
        consumer: Durable name; what it has not acknowledged is what is to be done.
    """

    name: str
    subject: str
    consumer: str

    @classmethod
    def of(cls, service: str) -> Self:
        """Return the work stream of a service."""
        return cls(f"{service.upper()}_WORK", f"pellicule.internal.{service}.work", f"{service}-worker")


async def ensure_work_stream(bus: Bus, stream: WorkStream) -> None:
    """Make a work stream and its consumer, or bring their settings up to date.

    Raises:
        DependencyUnavailable: the bus does not answer.
    """
    with _bus_errors():
        try:
            await bus.jetstream.stream_info(stream.name)
        except NotFoundError:
            await bus.jetstream.add_stream(_stream_config(stream, bus.replicas))
        else:
            await bus.jetstream.update_stream(_stream_config(stream, bus.replicas))
        await bus.jetstream.add_consumer(stream.name, _consumer_config(stream))


class WorkHints:
    """Publisher: keeps as many hints as there is work. `run` is a task, in one process at a time."""

    def __init__(self, bus: Bus, stream: WorkStream, open_work: OpenWork, clock: Clock) -> None:
        """Describe the publisher.

        Args:
            bus: Where the stream is.
            stream: What is published to.
            open_work: Counts what is due or in hand.
            clock: Says when to look again.
        """
        self._bus = bus
        self._stream = stream
        self._open_work = open_work
        self._clock = clock

    async def run(self) -> None:
        """Compare and correct, until cancelled."""
        await Wall("work_hints", self._clock).repeat(self.correct, LOOK_SECONDS)

    async def correct(self) -> None:
        """Have as many hints in the stream as there is work now.

        Raises:
            DependencyUnavailable: the bus does not answer.
        """
        wanted = await self._open_work(MOST_HINTS)
        with _bus_errors():
            held = await self._held()
            if wanted > held:
                await self._publish(wanted - held)
            elif wanted < held:
                await self._bus.jetstream.purge_stream(self._stream.name, keep=wanted)

    async def _held(self) -> int:
        try:
            info = await self._bus.jetstream.stream_info(self._stream.name)
            await self._bus.jetstream.consumer_info(self._stream.name, self._stream.consumer)
        except NotFoundError:
            await ensure_work_stream(self._bus, self._stream)
            return 0
        return int(info.state.messages)

    async def _publish(self, count: int) -> None:
        jetstream = self._bus.jetstream
        sent = [await jetstream.publish_async(self._stream.subject, b"") for _ in range(count)]
        await asyncio.gather(*sent)


class WorkWakes:
    """Hearer: wakes a worker when there is a hint, and holds the hint while there is work. `run` is a task.

    What it holds counts as being done; once there is nothing more to do it clears what is left over.
    """

    def __init__(
        self, bus: Bus, stream: WorkStream, open_work: OpenWork, wake: Callable[[], None], clock: Clock
    ) -> None:
        """Describe the hearer.

        Args:
            bus: Where the stream is.
            stream: What is heard; it may come into being later.
            open_work: Counts what is due or in hand.
            wake: Has the worker look.
            clock: Says when to look again.
        """
        self._bus = bus
        self._stream = stream
        self._open_work = open_work
        self._wake = wake
        self._clock = clock

    async def run(self) -> None:
        """Hear, until cancelled."""
        await Wall("work_wakes", self._clock).repeat(self._hear, LOOK_SECONDS)

    async def _hear(self) -> Never:
        async with self._subscribed() as subscription:
            while True:
                heed_cancellation()
                if (hint := await _next(subscription)) is not None:
                    self._wake()
                    await self._hold(hint)

    async def _hold(self, hint: Msg) -> None:
        with _bus_errors():
            while await self._open_work(1):
                await hint.in_progress()
                await self._clock.sleep(_HOLD_SECONDS)
            await hint.ack()

    @asynccontextmanager
    async def _subscribed(self) -> AsyncIterator[JetStreamContext.PullSubscription]:
        await ensure_work_stream(self._bus, self._stream)
        with _bus_errors():
            subscription = await self._bus.jetstream.pull_subscribe_bind(self._stream.consumer, self._stream.name)
        try:
            yield subscription
        finally:
            with suppress(NatsError):
                await subscription.unsubscribe()


async def _next(subscription: JetStreamContext.PullSubscription) -> Msg | None:
    """Return the next hint; None if there is none yet.

    Raises:
        DependencyUnavailable: no sign of life: the stream may be gone.
    """
    with _bus_errors():
        try:
            return (await subscription.fetch(1, timeout=_FETCH_SECONDS, heartbeat=_HEARTBEAT_SECONDS))[0]
        except FetchTimeoutError:
            return None


@contextmanager
def _bus_errors() -> Iterator[None]:
    try:
        yield
    except (NatsError, TimeoutError) as error:
        raise DependencyUnavailable.of("event-bus") from error


def _stream_config(stream: WorkStream, replicas: int) -> StreamConfig:
    return StreamConfig(
        name=stream.name,
        subjects=[stream.subject],
        retention=RetentionPolicy.WORK_QUEUE,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_msgs=MOST_HINTS,
        max_msg_size=_HINT_BYTES,
        num_replicas=replicas,
    )


def _consumer_config(stream: WorkStream) -> ConsumerConfig:
    return ConsumerConfig(
        name=stream.consumer,
        durable_name=stream.consumer,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=_ACK_WAIT_SECONDS,
        max_deliver=-1,
        max_ack_pending=MOST_HINTS,
    )
