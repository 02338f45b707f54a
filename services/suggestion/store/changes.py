"""Changes of suggestions as PostgreSQL announces them: one LISTEN for the process, any number of watches."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.chassis.clock import Clock
from services.chassis.database import Pool

RETRY_SECONDS = 1.0

_log = structlog.stdlib.get_logger()


class Changes:
    """Implements `Changes`: wakes the watches of a person's suggestions. `run` is a task of the process."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)

    async def run(self) -> None:
        """Listen until cancelled; after an outage every watch is woken, since changes may have been missed."""
        while True:
            try:
                await self._listen()
            except (psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("changes_wait", exc_info=error)
                await self._clock.sleep(RETRY_SECONDS)

    @contextmanager
    def watching(self, subject: str) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever this person's suggestions have changed."""
        event = asyncio.Event()
        self._watchers[subject].add(event)
        try:
            yield event
        finally:
            self._watchers[subject].discard(event)
            if not self._watchers[subject]:
                del self._watchers[subject]

    async def _listen(self) -> None:
        async with self._pool.connection() as connection:
            await connection.set_autocommit(True)
            try:
                await connection.execute("LISTEN suggestion")
                self._wake_all()
                async for notification in connection.notifies():
                    for event in self._watchers.get(notification.payload, ()):
                        event.set()
            finally:
                await connection.execute("UNLISTEN suggestion")
                await connection.set_autocommit(False)

    def _wake_all(self) -> None:
        for events in self._watchers.values():
            for event in events:
                event.set()
