"""Leases of persons for long work: one at a time over all replicas, and no database connection held meanwhile.

A turn is a row with an end, prolonged while the work goes on. A holder that stands still loses it, and then each of its
transactions fails: it can neither overwrite what another did meanwhile, nor be waited for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.chassis.database import Connection, Pool
from services.chassis.errors import DependencyUnavailable

LEASE = timedelta(seconds=10)
"""How long a turn lasts whose holder died or stands still."""
ENDLESS = timedelta(days=365)
_RENEW_SECONDS = 3.0
_LOOK_SECONDS = 0.05
_RETRY_AFTER = timedelta(seconds=1)

_TAKE = """
    INSERT INTO turn AS held (key, holder, begin_time, expire_time)
    VALUES (hashtextextended(%(subject)s, 1), %(holder)s, clock_timestamp(), clock_timestamp() + %(lease)s)
    ON CONFLICT (key) DO UPDATE
    SET holder = excluded.holder, begin_time = excluded.begin_time, expire_time = excluded.expire_time
    WHERE held.expire_time < clock_timestamp() OR held.begin_time < clock_timestamp() - %(patience)s
"""
_RENEW = """
    UPDATE turn SET expire_time = clock_timestamp() + %(lease)s
    WHERE key = hashtextextended(%(subject)s, 1) AND holder = %(holder)s
"""
_CHECK = "SELECT FROM turn WHERE key = hashtextextended(%(subject)s, 1) AND holder = %(holder)s FOR UPDATE"
_END = "DELETE FROM turn WHERE key = hashtextextended(%(subject)s, 1) AND holder = %(holder)s"
_FORGET = """
    DELETE FROM turn WHERE key IN (
        SELECT key FROM turn WHERE expire_time < clock_timestamp() - interval '1 hour' FOR UPDATE SKIP LOCKED
    )
"""

_log = structlog.stdlib.get_logger()


class TurnTaken(DependencyUnavailable):
    """Other work on the same person goes first."""

    @classmethod
    def by_other_work(cls) -> "TurnTaken":
        """Return the error for one who waited long enough, or who was overtaken."""
        return cls("other work on the same person goes first: call again", retry_after=_RETRY_AFTER)


class PersonLeases:
    """Gives turns on persons."""

    def __init__(self, pool: Pool, wait_seconds: float) -> None:
        """Begin.

        Args:
            pool: A connection of it is used for the moment of each statement.
            wait_seconds: How long one waits for a turn.
        """
        self._pool = pool
        self._wait_seconds = wait_seconds
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def of(self, subject: str, *, patience: timedelta = ENDLESS) -> AsyncIterator["PersonTurn"]:
        """Run the block as the only long work on this person.

        Args:
            subject: The person's pseudonym.
            patience: What a holder has had for longer is taken from it, and its work is fenced off.

        Raises:
            TurnTaken: others have the turn for too long.
        """
        turn = PersonTurn(self._pool, subject)
        try:
            # Inside the try: a cancelled wait may have got the turn in the same moment.
            await self._take(turn, patience)
            renewing = asyncio.create_task(turn.renew())
            try:
                yield turn
            finally:
                renewing.cancel()
        finally:
            ending = asyncio.create_task(turn.end())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            await asyncio.shield(ending)

    async def _take(self, turn: "PersonTurn", patience: timedelta) -> None:
        now = asyncio.get_running_loop().time
        end = now() + self._wait_seconds
        while not await turn.take(patience):
            if now() > end:
                raise TurnTaken.by_other_work()
            await asyncio.sleep(_LOOK_SECONDS)


class PersonTurn:
    """The right to work on a person, for as long as it is not lost."""

    def __init__(self, pool: Pool, subject: str) -> None:
        self._pool = pool
        self._of: dict[str, str | UUID | timedelta] = {"subject": subject, "holder": uuid4(), "lease": LEASE}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Run the block in one transaction, which fails if the turn was lost.

        Raises:
            TurnTaken: another has the turn by now.
        """
        async with self._pool.connection() as connection:
            await self.check(connection)
            yield connection

    async def check(self, connection: Connection) -> None:
        """Keep the turn until a transaction ends; a fence for those that know nothing of turns (`database.fenced`).

        Raises:
            TurnTaken: another has the turn by now.
        """
        if not (await connection.execute(_CHECK, self._of)).rowcount:
            raise TurnTaken.by_other_work()

    async def take(self, patience: timedelta) -> bool:
        """Take the turn if it is free, or its holder has had it for too long; tell whether it is this one's now."""
        async with self._pool.connection() as connection:
            return (await connection.execute(_TAKE, {**self._of, "patience": patience})).rowcount == 1

    async def renew(self) -> None:
        """Prolong the turn again and again; what it is lost to is met by the next transaction."""
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            try:
                async with self._pool.connection() as connection:
                    await connection.execute(_RENEW, self._of)
            except (psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("turn_not_renewed", exc_info=error)

    async def end(self) -> None:
        """Give the turn up; where that fails it ends by itself."""
        try:
            async with self._pool.connection() as connection:
                await connection.execute(_END, self._of)
                await connection.execute(_FORGET)
        except (psycopg.OperationalError, PoolTimeout) as error:
            _log.warning("turn_not_ended", exc_info=error)
