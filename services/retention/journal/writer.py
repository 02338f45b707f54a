"""Writer of the journal: group commit of what is pending, so that its cost does not grow with the rate."""

import asyncio
import secrets
from collections.abc import Sequence

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.chassis.clock import Clock
from services.chassis.database import Pool
from services.chassis.errors import DependencyUnavailable
from services.journal import Record, RevisionsReserved
from services.journal.follower import Follower
from services.journal.positions import follow_on
from services.retention.journal import pending
from services.retention.journal.pending import PendingRow

WAIT_SECONDS = 5.0
"""A caller is refused when the journal has been silent for this long; the keys are gone, asking again waits anew."""
BATCH = 100
"""Rows in a record; each names at most a thousand keys."""
RESERVED = 1_000_000_000
"""Fencing numbers reserved at each opening: more than are handed out until the next."""
_POLL_SECONDS = 5.0

_log = structlog.stdlib.get_logger()


class JournalWriter:
    """Implements `ports.DestructionJournal`. `run` is a task of the process.

    No connection is held while the journal is written: what two processes write at a time, or one writes again after a
    crash, stands there twice, which is the same as once.
    """

    def __init__(self, pool: Pool, follower: Follower, clock: Clock) -> None:
        self._pool = pool
        self._follower = follower
        self._clock = clock
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._asked = 0
        self._done = 0
        self._salt = ("", "")

    async def run(self) -> None:
        """Write what no caller waits for, and what a crash left behind, until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.written()
            except (DependencyUnavailable, psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("journal_writer_waits", exc_info=error)
            await self._sleep()

    def wake(self) -> None:
        """Have what is pending written soon."""
        self._wake.set()

    async def written(self) -> None:
        """Return when all that was destroyed before the call is in the journal.

        Raises:
            DependencyUnavailable: it is not, yet.
        """
        self._asked += 1
        mine = self._asked
        try:
            async with asyncio.timeout(WAIT_SECONDS), self._turn:
                if self._done < mine:
                    covered = self._asked
                    await self._write_pending()
                    self._done = covered
        except TimeoutError:
            raise DependencyUnavailable.of("journal") from None

    async def reserve_revisions(self) -> None:
        """Begin above all fencing numbers that may have been handed out, and reserve those to come in the journal."""
        async with self._pool.connection() as connection:
            base = await pending.highest_revision(connection)
        record = await self._follower.journal.append([RevisionsReserved(base + RESERVED)])
        async with self._pool.connection() as connection:
            await pending.begin_revisions(connection, base, base + RESERVED)
            await self._follow_on(connection, record)

    async def _write_pending(self) -> None:
        while rows := await self._oldest():
            record = await self._follower.journal.append([pending.destruction(rows, self._todays_salt())])
            async with self._pool.connection() as connection:
                await pending.delete(connection, rows)
                await self._follow_on(connection, record)
            if len(rows) < BATCH:
                return

    async def _oldest(self) -> Sequence[PendingRow]:
        async with self._pool.connection() as connection:
            return await pending.oldest(connection, BATCH)

    async def _follow_on(self, connection: psycopg.AsyncConnection[tuple[object, ...]], record: Record) -> None:
        if await follow_on(connection, record.number - 1, record.position):
            self._follower.has_seen(record.position)

    def _todays_salt(self) -> str:
        today = self._clock.now().date().isoformat()
        if self._salt[0] != today:
            self._salt = (today, secrets.token_hex(8))
        return self._salt[1]

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return
