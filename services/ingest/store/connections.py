"""Connections for single statements, and the one that more than one store sends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from psycopg.rows import kwargs_row

from services.chassis.database import Connection, Pool
from services.ingest.domain.quota import Quota
from services.ingest.domain.records import Segment
from services.ingest.store import statements


@asynccontextmanager
async def single_statements(pool: Pool) -> AsyncIterator[Connection]:
    """Lends a connection for single statements: without a transaction around them there is one round trip each."""
    async with pool.connection() as connection:
        await connection.set_autocommit(True)
        try:
            yield connection
        finally:
            await connection.set_autocommit(False)


def quota_parameters(quota: Quota) -> dict[str, int]:
    """Return a share as the statements name it."""
    return {"quota": quota.size_bytes, "row_bytes": quota.row_bytes}


async def find_segments(pool: Pool, data_key_id: UUID) -> list[Segment]:
    """Return the segments of a sealed stream, in order."""
    async with single_statements(pool) as connection, connection.cursor(row_factory=kwargs_row(Segment)) as cursor:
        await cursor.execute(statements.FIND_SEGMENTS, {"data_key_id": data_key_id})
        return await cursor.fetchall()
