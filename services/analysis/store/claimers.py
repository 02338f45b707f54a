"""Claimers: processes that claim media; the claims of one that died are free at once."""

import asyncio
import secrets

import psycopg
import structlog

from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool
from services.chassis.loops import Wall

_LOCKS = 0x616E616C
"""Class of the advisory locks."""
_HEARTBEAT_SECONDS = 2.0
_LOOK_SECONDS = 2.0

_log = structlog.stdlib.get_logger()


class Claimer:
    """This process among those that claim media. `run` is a task.

    It holds an advisory lock for as long as its connection lives; the database releases it when the process is gone,
    and then the next one that looks frees what it had claimed. One that lives and lost its connection commits nothing
    under a claim that was freed: it bears another id by then.
    """

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._number = secrets.randbelow(2**31)
        self._held = False

    @property
    def number(self) -> int | None:
        """The number of its lock; None while it is not held, when claims just run out."""
        return self._number if self._held else None

    async def run(self) -> None:
        """Hold the lock, and free what the dead have claimed, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Wall("claimer", self._clock).repeat(self._hold, 0))
            tasks.create_task(Wall("abandoned_claims", self._clock).repeat(self.free_abandoned, _LOOK_SECONDS))

    async def free_abandoned(self) -> int:
        """Free the claims of processes that are gone; return how many."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                UPDATE media SET claim_end_time = %(now)s
                WHERE claim_id IS NOT NULL AND claim_end_time > %(now)s AND claimer <> ALL(ARRAY(
                    SELECT objid::bigint FROM pg_locks
                    WHERE locktype = 'advisory' AND classid = %(locks)s AND objsubid = 2 AND granted
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                ))
                """,
                {"now": self._clock.now(), "locks": _LOCKS},
            )
        if cursor.rowcount:
            _log.warning("abandoned_claims_freed", count=cursor.rowcount)
        return cursor.rowcount

    async def _hold(self) -> None:
        async with await psycopg.AsyncConnection.connect(str(self._pool.conninfo), autocommit=True) as connection:
            await connection.execute("SELECT pg_advisory_lock(%s, %s)", (_LOCKS, self._number))
            self._held = True
            try:
                await self._stay(connection)
            finally:
                self._held = False

    async def _stay(self, connection: Connection) -> None:
        while True:
            await self._clock.sleep(_HEARTBEAT_SECONDS)
            await connection.execute("SELECT 1")
