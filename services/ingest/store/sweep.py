"""Tables as the sweep sees them: what runs out, and what is left over; one method, one transaction."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Pool
from services.ingest.domain.leftovers import Discard, ExpiredUpload
from services.ingest.store import statements
from services.ingest.store.connections import single_statements


class SweepStore:
    """Implements `ports.SweepTables` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def expired_uploads(
        self, now: datetime, limit: int, without: AbstractSet[str] = frozenset()
    ) -> list[ExpiredUpload]:
        """Return uploads, but these, whose time is over, the oldest first."""
        async with (
            single_statements(self._pool) as connection,
            connection.cursor(row_factory=class_row(ExpiredUpload)) as cursor,
        ):
            await cursor.execute(statements.EXPIRED_UPLOADS, {"now": now, "limit": limit, "without": list(without)})
            return await cursor.fetchall()

    async def delete_complete(self, upload_ids: Sequence[UUID]) -> None:
        """Forgets complete uploads."""
        async with self._pool.connection() as connection:
            await connection.execute(statements.DELETE_COMPLETE_UPLOADS, {"ids": list(upload_ids)})

    async def discards(self, limit: int, without: AbstractSet[str] = frozenset()) -> list[Discard]:
        """Return what is to be deleted, but for the streams of these keys, oldest first."""
        async with single_statements(self._pool) as connection:
            cursor = await connection.execute(statements.DISCARDS, {"limit": limit, "without": list(without)})
            return [Discard(key, subject, tuple(objects)) for key, subject, objects in await cursor.fetchall()]

    async def delete_discard(self, data_key_id: UUID) -> None:
        """Forgets what was deleted."""
        async with self._pool.connection() as connection:
            await connection.execute(statements.DELETE_DISCARD, {"data_key_id": data_key_id})

    async def unknown_objects(self, names: Sequence[str]) -> set[str]:
        """Return those of the objects that no row names."""
        async with single_statements(self._pool) as connection:
            cursor = await connection.execute(statements.UNKNOWN_OBJECTS, {"names": list(names)})
            return {name for (name,) in await cursor.fetchall()}

    async def forget_deleted(self, before: datetime) -> None:
        """Forgets deletions from before that moment."""
        async with self._pool.connection() as connection:
            await connection.execute(statements.FORGET_OLD_DELETIONS, {"before": before})

    async def forget_requests(self, before: datetime) -> None:
        """Forget requests from before that moment."""
        async with self._pool.connection() as connection:
            await connection.execute(statements.FORGET_REQUESTS, {"before": before})
