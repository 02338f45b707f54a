"""Writer locks: one writer per upload, by PostgreSQL's advisory locks: they die with the connection that holds them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import psycopg

from services.chassis.database import Connection
from services.chassis.errors import DependencyUnavailable
from services.chassis.settings import DatabaseSettings


class AdvisoryWriterLocks:
    """Implements `ports.WriterLocks` on one connection of its own, shared by all streams of the process.

    An advisory lock keeps other sessions out, not this one; the set of uploads in hand does that. If the connection
    breaks, the locks are gone: the streams go on, and the stores refuse the commit of the second of them.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        self._in_hand: set[UUID] = set()

    async def acquire(self, upload_id: UUID) -> bool:
        """Takes the lock; False if another writer has it."""
        if upload_id in self._in_hand:
            return False
        self._in_hand.add(upload_id)
        try:
            taken = await self._ask("SELECT pg_try_advisory_lock(hashtextextended(%(id)s, 3))", upload_id)
        except BaseException:
            self._in_hand.discard(upload_id)
            raise
        if not taken:
            self._in_hand.discard(upload_id)
        return taken

    async def release(self, upload_id: UUID) -> None:
        """Gives the lock back."""
        try:
            await self._ask("SELECT pg_advisory_unlock(hashtextextended(%(id)s, 3))", upload_id)
        finally:
            self._in_hand.discard(upload_id)

    async def close(self) -> None:
        """Closes the connection, and with it gives back whatever is left."""
        if self._connection is not None:
            await self._connection.close()

    async def _ask(self, statement: str, upload_id: UUID) -> bool:
        connection = await self._connected()
        try:
            cursor = await connection.execute(statement, {"id": str(upload_id)})
            row = await cursor.fetchone()
        except psycopg.OperationalError as error:
            raise DependencyUnavailable("the database does not answer: call again") from error
        return row is not None and bool(row[0])

    async def _connected(self) -> Connection:
        async with self._connecting:
            if self._connection is None or self._connection.closed:
                try:
                    self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
                except psycopg.OperationalError as error:
                    raise DependencyUnavailable("the database does not answer: call again") from error
            return self._connection


@asynccontextmanager
async def open_writer_locks(settings: DatabaseSettings) -> AsyncIterator[AdvisoryWriterLocks]:
    """Makes the locks for the time of the block."""
    locks = AdvisoryWriterLocks(settings.database_url.get_secret_value())
    try:
        yield locks
    finally:
        await locks.close()
