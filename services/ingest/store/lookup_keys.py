"""Table of sealed lookup keys: one method, one transaction."""

from uuid import UUID

from psycopg.rows import kwargs_row

from services.chassis.database import Pool
from services.ingest.domain.records import LookupKeyRow
from services.ingest.store import statements
from services.ingest.store.connections import single_statements


class LookupKeyStore:
    """Implements `ports.LookupKeyTable` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, subject: str) -> LookupKeyRow | None:
        """Return a person's key."""
        async with (
            single_statements(self._pool) as connection,
            connection.cursor(row_factory=kwargs_row(LookupKeyRow)) as cursor,
        ):
            await cursor.execute(statements.FIND_LOOKUP_KEY, {"subject": subject})
            return await cursor.fetchone()

    async def put(self, row: LookupKeyRow, *, replaces: UUID | None) -> bool:
        """Store a key, in place of the one sealed under `replaces`."""
        statement = statements.ADD_LOOKUP_KEY if replaces is None else statements.REPLACE_LOOKUP_KEY
        async with self._pool.connection() as connection:
            stored = await connection.execute(statement, {**vars(row), "replaces": replaces})
            return stored.rowcount == 1
