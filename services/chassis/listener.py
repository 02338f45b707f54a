"""LISTEN fan-out: one connection of its own for a process, any number of waiters; none of the pool's is kept busy."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import psycopg
import structlog
from psycopg import sql

from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool
from services.chassis.errors import DependencyUnavailable

_HEARTBEAT_SECONDS = 15.0
_SILENCE_SECONDS = 2.0
_RETRY_SECONDS = 1.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class Notification:
    """What a committed transaction told.

    Attributes:
        channel: As in LISTEN.
        payload: As in NOTIFY.
    """

    channel: str
    payload: str


Notifications: TypeAlias = tuple[Notification, ...]


class Listener:
    """Wakes the waiters of a notification. `run` is a task of the process.

    Wakes of the same moment are one, and after an outage everyone is woken, since something may have been missed: a
    waiter looks into the database for what has changed.
    """

    def __init__(self, pool: Pool, clock: Clock, *channels: str) -> None:
        self._url = str(pool.conninfo)
        self._clock = clock
        self._channels = channels
        self._waiting: dict[Notification, set[asyncio.Event]] = defaultdict(set)

    async def run(self) -> None:
        """Listen for as long as it runs."""
        while True:
            try:
                await self._relay()
            except DependencyUnavailable as error:
                _log.warning("listener_waits", exc_info=error)
            await self._clock.sleep(_RETRY_SECONDS)

    @contextmanager
    def waiting(self, channel: str, payload: str) -> Iterator[asyncio.Event]:
        """Give an event that is set at each such notification; it is the waiter who clears it.

        Args:
            channel: One of the listener's.
            payload: Such as the pseudonym of the person who is watched.
        """
        key, event = Notification(channel, payload), asyncio.Event()
        self._waiting[key].add(event)
        try:
            yield event
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]

    async def _relay(self) -> None:
        async with aclosing(listen(self._url, *self._channels)) as told:
            await anext(told)
            for notification in list(self._waiting):
                self._wake(notification)
            async for notifications in told:
                for notification in notifications:
                    self._wake(notification)

    def _wake(self, notification: Notification) -> None:
        for event in self._waiting.get(notification, ()):
            event.set()


async def listen(
    url: str, *channels: str, heartbeat_seconds: float = _HEARTBEAT_SECONDS
) -> AsyncGenerator[Notifications, None]:
    """Yield what is told, in the order of the commits; nothing first, once all later commits will be told.

    A silence ends with an empty item each `heartbeat_seconds`. It went to the database and came back through the queue
    of the notifications, so it proves that all that was committed before has been told.

    Raises:
        DependencyUnavailable: the database does not answer; what is committed from now on is missed.
    """
    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            own = f"heartbeat_{connection.info.backend_pid}"
            for channel in (*channels, own):
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield ()
            while True:
                heard = await _hear(connection, own, heartbeat_seconds)
                yield tuple(each for each in heard if each.channel != own)
    except (psycopg.OperationalError, TimeoutError) as error:
        raise DependencyUnavailable.of("database") from error


async def _hear(connection: Connection, own: str, heartbeat_seconds: float) -> Notifications:
    """Return what is told within a heartbeat; if nothing is, ask for a sign of life."""
    if notes := await _told(connection, heartbeat_seconds):
        return notes
    async with asyncio.timeout(_SILENCE_SECONDS):
        await connection.execute(sql.SQL("NOTIFY {}").format(sql.Identifier(own)))
        return await _told(connection, None)


async def _told(connection: Connection, seconds: float | None) -> Notifications:
    notes = connection.notifies(timeout=seconds, stop_after=1)
    return tuple([Notification(note.channel, note.payload) async for note in notes])
