"""News of changed consent from PostgreSQL: one LISTEN for the process, any number of watchers."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import structlog

from services.chassis.clock import Clock
from services.chassis.database import Pool

_CHANNEL = "consent_changed"
_RETRY_SECONDS = 1.0

_log = structlog.stdlib.get_logger()


class PostgresChanges:
    """Implements `ports.Changes`."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def tell(self) -> None:
        """Makes news."""
        self._news.set()

    async def next(self) -> None:
        """Waits for news."""
        await self._news.wait()
        self._news.clear()


class PostgresChangeFeed:
    """Implements `ports.ChangeFeed`. `run` is a task of the process."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._watchers: dict[str, set[PostgresChanges]] = defaultdict(set)

    async def run(self) -> None:
        """Listens for ever; after an outage everybody has news, since some may have been missed."""
        while True:
            try:
                await self._listen()
            except psycopg.OperationalError as error:
                _log.warning("change_feed_waits", exc_info=error)
            await self._clock.sleep(_RETRY_SECONDS)

    @asynccontextmanager
    async def of(self, subject: str) -> AsyncIterator[PostgresChanges]:
        """Collects the news about a person for the time of the block."""
        changes = PostgresChanges()
        self._watchers[subject].add(changes)
        try:
            yield changes
        finally:
            self._watchers[subject].discard(changes)
            if not self._watchers[subject]:
                del self._watchers[subject]

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(str(self._pool.conninfo), autocommit=True) as connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            for subject in list(self._watchers):
                self._tell(subject)
            async for notification in connection.notifies():
                self._tell(notification.payload)

    def _tell(self, subject: str) -> None:
        for changes in self._watchers.get(subject, ()):
            changes.tell()
