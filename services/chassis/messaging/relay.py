"""Relay: publishes what the outbox holds, and sends again what the bus lost before every consumer had it."""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.failed_work.set_aside import FailedItems, Item, PostgresSetAside
from services.chassis.loops import heed_cancellation
from services.chassis.messaging import inbox, outbox
from services.chassis.messaging.bus import Bus, EventStream, Stored
from services.chassis.messaging.events import EventRefused
from services.chassis.telemetry.spans import producer_span

_BATCH = 200
_POLL_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 5.0
_GATHER_SECONDS = 0.05
_RETRY_SECONDS = 1.0
_FORGET_EVERY_SECONDS = 3600.0

_log = structlog.get_logger()


class OutboxRelay:
    """Publishes what the outbox holds, in its order; one relay works at a time, however many run.

    It makes the stream when the bus has none, and looks every 5 s at what the bus holds: what all consumers have is
    deleted, and what the bus lost is sent again, before anything newer.
    """

    def __init__(self, pool: Pool, bus: Bus, clock: Clock, stream: EventStream) -> None:
        self._pool = pool
        self._bus = bus
        self._clock = clock
        self._stream = stream
        self._refused = FailedItems("event", PostgresSetAside(pool), clock)
        self._incarnation: datetime | None = None
        self._look_at = self._forget_at = clock.monotonic()

    async def run(self) -> None:
        """Publish for as long as it runs; woken by `append`, and every 5 s in any case."""
        while True:
            try:
                await self._listen_and_publish()
            except (psycopg.OperationalError, PoolTimeout, DependencyUnavailable) as error:
                _log.warning("outbox_waits", exc_info=error)
                self._incarnation = None
                await self._clock.sleep(_RETRY_SECONDS)

    async def publish_pending(self) -> int:
        """Publish what is there; return how many events.

        Raises:
            DependencyUnavailable: the bus does not answer; what it confirmed is not sent again.
        """
        published = batch = await self._publish_batch()
        while batch == _BATCH:  # a smaller one was the last; whatever came after it wakes the relay again
            batch = await self._publish_batch()
            published += batch
        return published

    async def look(self) -> None:
        """Look at what the bus holds: delete what every consumer has, and mark what was lost.

        Raises:
            DependencyUnavailable: the bus does not answer.
        """
        async with self._pool.connection() as connection:
            if await outbox.is_only_relay(connection):
                await self._look(connection)

    async def _listen_and_publish(self) -> None:
        url = str(self._pool.conninfo)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as listener:
            await listener.execute(f"LISTEN {outbox.CHANNEL}")
            while True:
                heed_cancellation()
                if self._clock.monotonic() >= self._look_at or self._incarnation is None:
                    await self.look()
                await self.publish_pending()
                await self._forget_old()
                async for _ in listener.notifies(timeout=_POLL_SECONDS, stop_after=1):
                    pass
                # Events of the same moment go together: the work for a batch is that for one event.
                await self._clock.sleep(_GATHER_SECONDS)

    async def _look(self, connection: Connection) -> datetime:
        self._look_at = self._clock.monotonic() + _LOOK_EVERY_SECONDS
        if self._incarnation is None:
            await self._bus.ensure_stream(self._stream.name, self._stream.subjects)
        state = await self._bus.state(self._stream)
        if lost := await outbox.mark_lost(connection, state):
            _log.warning("bus_lost_events", stream=self._stream.name, count=lost)
        await outbox.delete_heard(connection, state)
        self._incarnation = state.incarnation
        return state.incarnation

    async def _publish_batch(self) -> int:
        known, waiting = await self._refused.known_and_waiting()
        async with self._pool.connection() as connection:
            if not await outbox.is_only_relay(connection):
                return 0
            incarnation = self._incarnation or await self._look(connection)
            pending = await outbox.oldest_unsent(connection, _BATCH, waiting)
            if not pending:
                return 0
            batch = _Batch(self._bus, pending)
            failure = await batch.publish()
            await self._write_down(connection, batch.stored, incarnation)
        await self._set_aside(batch, known)
        if failure is not None:
            raise failure
        return len(pending)

    async def _set_aside(self, batch: "_Batch", known: AbstractSet[str]) -> None:
        for row, error in batch.refused:
            await self._refused.put(Item(str(row.id), row.person), error)
        for id_ in known & batch.stored_ids:
            await self._refused.clear(id_)

    async def _write_down(self, connection: Connection, stored: dict[int, Stored], incarnation: datetime) -> None:
        sequences = {position: each.sequence for position, each in stored.items()}
        await outbox.mark_sent(connection, sequences, incarnation)
        newest = [each.sequence for each in stored.values() if not each.repeated]
        if not newest:
            return
        if lost := await outbox.mark_displaced(connection, list(sequences), min(newest), incarnation):
            _log.warning("bus_lost_events", stream=self._stream.name, count=lost)

    async def _forget_old(self) -> None:
        if self._clock.monotonic() < self._forget_at:
            return
        async with self._pool.connection() as connection:
            await inbox.forget_old(connection)
            if unheard := await outbox.give_up_unheard(connection):
                _log.error("outbox_unheard", stream=self._stream.name, count=unheard)
        self._forget_at = self._clock.monotonic() + _FORGET_EVERY_SECONDS


class _Batch:
    """Events that are sent together."""

    def __init__(self, bus: Bus, rows: Sequence[outbox.OutboxRow]) -> None:
        self.stored: dict[int, Stored] = {}
        self.refused: list[tuple[outbox.OutboxRow, EventRefused]] = []
        self._bus = bus
        self._rows = rows
        self._sent: list[tuple[outbox.OutboxRow, asyncio.Task[Stored]]] = []

    @property
    def stored_ids(self) -> AbstractSet[str]:
        """The ids of the events that the bus has stored."""
        return {str(row.id) for row in self._rows if row.position in self.stored}

    async def publish(self) -> DependencyUnavailable | None:
        """Send all, then wait for each; return what kept the bus from storing the rest."""
        try:
            for row in self._rows:
                await self._send(row)
            for row, storing in self._sent:
                await self._wait(row, storing)
        except DependencyUnavailable as error:
            await asyncio.gather(*(storing for _, storing in self._sent), return_exceptions=True)
            return error
        return None

    async def _send(self, row: outbox.OutboxRow) -> None:
        event = row.event()
        try:
            with producer_span(event.type, str(event.id), row.publish_headers()) as headers:
                storing = await self._bus.publish_soon(event, headers=headers, time=row.create_time)
        except EventRefused as error:
            self.refused.append((row, error))
        else:
            self._sent.append((row, storing))

    async def _wait(self, row: outbox.OutboxRow, storing: asyncio.Task[Stored]) -> None:
        try:
            self.stored[row.position] = await storing
        except EventRefused as error:
            self.refused.append((row, error))
