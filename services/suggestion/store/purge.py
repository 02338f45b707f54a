"""Statements of purge orders, on `fence`, `tombstone` and what they hit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.chassis.database import Connection


class PurgeTables:
    """One statement in each method, on the connection of the running transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def sealed_under(self, data_key_ids: Sequence[str]) -> list[UUID]:
        """Return the suggestions of which any part is sealed under one of the keys."""
        cursor = await self._connection.execute(
            """
            SELECT id FROM suggestion WHERE data_key_id = ANY(%(keys)s::uuid[])
            UNION
            SELECT suggestion_id FROM rendition WHERE data_key_id = ANY(%(keys)s::uuid[])
            """,
            {"keys": list(data_key_ids)},
        )
        return [row[0] for row in await cursor.fetchall()]

    async def made_under(self, subject: str, purposes: Sequence[str], revision: int) -> list[UUID]:
        """Return a person's suggestions sealed for one of the purposes under a revision or an older one."""
        cursor = await self._connection.execute(
            """
            SELECT id FROM suggestion
            WHERE subject = %(subject)s AND purpose = ANY(%(purposes)s) AND purpose_revision <= %(revision)s
            """,
            {"subject": subject, "purposes": list(purposes), "revision": revision},
        )
        return [row[0] for row in await cursor.fetchall()]

    async def raise_fence(self, subject: str, purpose: str, revision: int) -> None:
        """Refuse results made under a revision or an older one from now on."""
        await self._connection.execute(
            """
            INSERT INTO fence (subject, purpose, revision) VALUES (%(subject)s, %(purpose)s, %(revision)s)
            ON CONFLICT (subject, purpose) DO UPDATE SET revision = greatest(fence.revision, excluded.revision)
            """,
            {"subject": subject, "purpose": purpose, "revision": revision},
        )

    async def tombstone_keys(self, data_key_ids: Sequence[str], now: datetime) -> None:
        """Refuse what is sealed under these keys from now on."""
        await self._connection.execute(
            """
            INSERT INTO tombstone (data_key_id, create_time) SELECT unnest(%(keys)s::uuid[]), %(now)s
            ON CONFLICT (data_key_id) DO NOTHING
            """,
            {"keys": list(data_key_ids), "now": now},
        )

    async def forget_tombstones(self, before: datetime) -> int:
        """Delete tombstones from before a time; return how many."""
        cursor = await self._connection.execute(
            "DELETE FROM tombstone WHERE create_time < %(before)s", {"before": before}
        )
        return cursor.rowcount
