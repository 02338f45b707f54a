"""Outbox: events are written with the state they tell of, and published afterwards.

A row is deleted when the bus has stored its event. A crash between the two publishes it again under the same
id, which the bus and the consumers' inboxes drop.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
import structlog
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from psycopg_pool import PoolTimeout

from services.chassis import inbox
from services.chassis.bus import Bus
from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.events import OutgoingEvent
from services.chassis.telemetry import inject_trace

__all__ = ["INSERT_EVENT", "WAKE_RELAY", "OutboxRelay", "OutgoingEvent", "append", "event_parameters"]

_CHANNEL = "outbox"
_BATCH = 200
_POLL_SECONDS = 5.0
_GATHER_SECONDS = 0.05
_RETRY_SECONDS = 1.0
_FORGET_EVERY_SECONDS = 3600.0

_log = structlog.get_logger()


INSERT_EVENT = """
    INSERT INTO outbox (id, type, subject, body, headers)
    VALUES (%(event_id)s, %(event_type)s, %(event_subject)s, %(event_body)s, %(event_headers)s)
"""
"""Writes an event; for a statement that does more than that, with the parameters of `event_parameters`."""
WAKE_RELAY = f"pg_notify('{_CHANNEL}', '')"
"""An expression that wakes the relay after the commit."""


async def append(connection: Connection, event: OutgoingEvent) -> None:
    """Write an event in the running transaction; it is published after the commit."""
    await connection.execute(INSERT_EVENT, event_parameters(event))
    await connection.execute(f"NOTIFY {_CHANNEL}")


def event_parameters(event: OutgoingEvent) -> dict[str, object]:
    """Return the parameters of `INSERT_EVENT`; the running trace goes along."""
    headers: dict[str, str] = {}
    inject_trace(headers)
    return {
        "event_id": event.id,
        "event_type": event.type,
        "event_subject": event.subject,
        "event_body": event.body,
        "event_headers": Jsonb(headers),
    }


class OutboxRelay:
    """Publishes what the outbox holds, in its order; one relay works at a time, however many run."""

    def __init__(self, pool: Pool, bus: Bus, clock: Clock) -> None:
        self._pool = pool
        self._bus = bus
        self._clock = clock
        self._forget_at = clock.monotonic()

    async def run(self) -> None:
        """Publish for as long as it runs; woken by `append`, and every 5 s in any case."""
        while True:
            try:
                await self._listen_and_publish()
            except (psycopg.OperationalError, PoolTimeout, DependencyUnavailable) as error:
                _log.warning("outbox_waits", exc_info=error)
                await self._clock.sleep(_RETRY_SECONDS)

    async def publish_pending(self) -> int:
        """Publish what is there; return how many events.

        Raises:
            DependencyUnavailable: the bus does not answer; what it confirmed is deleted from the outbox.
        """
        published = batch = await self._publish_batch()
        while batch == _BATCH:  # a smaller one was the last; whatever came after it wakes the relay again
            batch = await self._publish_batch()
            published += batch
        return published

    async def _listen_and_publish(self) -> None:
        url = str(self._pool.conninfo)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as listener:
            await listener.execute(f"LISTEN {_CHANNEL}")
            while True:
                await self.publish_pending()
                await self._forget_old()
                async for _ in listener.notifies(timeout=_POLL_SECONDS, stop_after=1):
                    pass
                # Events of the same moment go together: the work for a batch is that for one event.
                await self._clock.sleep(_GATHER_SECONDS)

    async def _publish_batch(self) -> int:
        async with self._pool.connection() as connection:
            if not await _is_only_relay(connection):
                return 0
            pending = await _oldest(connection)
            if not pending:
                return 0
            confirmed, failure = await self._publish(pending)
            await _delete(connection, confirmed)
        if failure is not None:
            raise failure
        return len(confirmed)

    async def _publish(self, pending: list["_Row"]) -> tuple[list[int], DependencyUnavailable | None]:
        """Send all, then wait for each; return the positions stored before the first failure."""
        sent: dict[int, asyncio.Task[None]] = {}
        confirmed: list[int] = []
        try:
            for row in pending:
                event = row.event()
                sent[row.position] = await self._bus.publish_soon(event, headers=row.headers, time=row.create_time)
            for position, stored in sent.items():
                await stored
                confirmed.append(position)
        except DependencyUnavailable as error:
            await asyncio.gather(*sent.values(), return_exceptions=True)
            return confirmed, error
        return confirmed, None

    async def _forget_old(self) -> None:
        if self._clock.monotonic() >= self._forget_at:
            async with self._pool.connection() as connection:
                await inbox.forget_old(connection)
            self._forget_at = self._clock.monotonic() + _FORGET_EVERY_SECONDS


@dataclass(frozen=True)
class _Row:
    position: int
    id: UUID
    type: str
    subject: str
    body: bytes
    headers: dict[str, str]
    create_time: datetime

    def event(self) -> OutgoingEvent:
        return OutgoingEvent(type=self.type, subject=self.subject, body=self.body, id=self.id)


async def _is_only_relay(connection: Connection) -> bool:
    cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('outbox relay', 2))")
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def _oldest(connection: Connection) -> list[_Row]:
    async with connection.cursor(row_factory=class_row(_Row)) as cursor:
        await cursor.execute(
            """
            SELECT position, id, type, subject, body, headers, create_time
            FROM outbox ORDER BY position LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            """,
            {"limit": _BATCH},
        )
        return await cursor.fetchall()


async def _delete(connection: Connection, positions: list[int]) -> None:
    await connection.execute("DELETE FROM outbox WHERE position = ANY(%(positions)s)", {"positions": positions})
