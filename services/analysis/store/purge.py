"""Deleting what can no longer be opened: one method for each transaction, plain SQL.

Every deletion raises its fence or writes its tombstones first and then locks the media's rows in the order of their
ids, as `commit` does: whichever of the two comes second sees what the other did.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from uuid import UUID

from services.analysis.domain.media import analysis_name
from services.analysis.domain.rows import DeletionSet
from services.chassis.changes.records import record_changed, record_deleted
from services.chassis.database import Connection, Pool
from services.chassis.failed_work.departure import forget_person


class PurgeStore:
    """Implements `Purge` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def tombstone_keys(self, subject: str, ids: Sequence[str], now: datetime) -> tuple[DeletionSet, int]:
        """Write tombstones and delete the findings under these keys."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                INSERT INTO tombstone (data_key_id, create_time) SELECT unnest(%(ids)s::uuid[]), %(now)s
                ON CONFLICT (data_key_id) DO NOTHING
                """,
                {"ids": list(ids), "now": now},
            )
            await _lock(connection, subject)
            whole = await _column(
                connection,
                """
                SELECT id FROM media WHERE subject = %(subject)s AND (
                    data_key_id = ANY(%(ids)s::uuid[])
                    OR EXISTS (SELECT 1 FROM previews
                               WHERE previews.media_id = media.id AND previews.data_key_id = ANY(%(ids)s::uuid[]))
                    OR EXISTS (SELECT 1 FROM findings
                               WHERE findings.media_id = media.id AND findings.purpose = media.purpose
                                 AND findings.data_key_id = ANY(%(ids)s::uuid[]))
                )
                """,
                {"subject": subject, "ids": list(ids)},
            )
            lost = await _column(
                connection,
                """
                DELETE FROM findings WHERE data_key_id = ANY(%(ids)s::uuid[]) OR media_id = ANY(%(media)s)
                RETURNING media_id
                """,
                {"ids": list(ids), "media": whole},
            )
            return await _close(connection, subject, whole, lost), len(lost)

    async def fence_purpose(self, subject: str, purpose: str, revision: int) -> tuple[DeletionSet, int]:
        """Raise the fence of a purpose and delete its findings up to the revision."""
        scope = {"subject": subject, "purpose": purpose, "revision": revision}
        async with self._pool.connection() as connection:
            await _raise_fences(connection, subject, [purpose], revision)
            await _lock(connection, subject)
            whole = await _column(
                connection,
                """
                SELECT id FROM media
                WHERE subject = %(subject)s AND purpose = %(purpose)s AND purpose_revision <= %(revision)s
                """,
                scope,
            )
            lost = await _column(
                connection,
                """
                DELETE FROM findings USING media
                WHERE media.id = findings.media_id AND media.subject = %(subject)s AND (
                    (findings.purpose = %(purpose)s AND findings.purpose_revision <= %(revision)s)
                    OR media.id = ANY(%(media)s)
                )
                RETURNING media_id
                """,
                {**scope, "media": whole},
            )
            return await _close(connection, subject, whole, lost), len(lost)

    async def fence_subject(self, subject: str, revision: int, purposes: Sequence[str]) -> tuple[DeletionSet, int]:
        """Raise every fence and delete the person's findings up to the revision."""
        scope = {"subject": subject, "revision": revision}
        async with self._pool.connection() as connection:
            await _raise_fences(connection, subject, purposes, revision)
            await _lock(connection, subject)
            whole = await _column(
                connection,
                "SELECT id FROM media WHERE subject = %(subject)s AND purpose_revision <= %(revision)s",
                scope,
            )
            lost = await _column(
                connection,
                """
                DELETE FROM findings USING media
                WHERE media.id = findings.media_id AND media.subject = %(subject)s
                  AND (findings.purpose_revision <= %(revision)s OR media.id = ANY(%(media)s))
                RETURNING media_id
                """,
                {**scope, "media": whole},
            )
            return await _close(connection, subject, whole, lost), len(lost)

    async def deletion_set(self, subject: str, data_key_ids: Sequence[UUID]) -> DeletionSet:
        """Return what goes with media whose originals these keys sealed, in one transaction."""
        async with self._pool.connection() as connection:
            owned = await _column(
                connection,
                """
                SELECT id FROM media WHERE subject = %(subject)s AND data_key_id = ANY(%(ids)s) ORDER BY id FOR UPDATE
                """,
                {"subject": subject, "ids": list(data_key_ids)},
            )
            return await _deletion_set(connection, owned)

    async def delete_media(self, subject: str, deletion: DeletionSet) -> int:
        """Delete media with all their rows, but for those that were replaced meanwhile, in one transaction."""
        async with self._pool.connection() as connection:
            gone = await _column(
                connection,
                """
                DELETE FROM media WHERE subject = %(subject)s AND id = ANY(%(media)s) AND data_key_id = ANY(%(ids)s)
                RETURNING id
                """,
                {"subject": subject, "media": list(deletion.media), "ids": list(deletion.data_key_ids)},
            )
            await record_deleted(connection, subject, [analysis_name(id_) for id_ in gone])
            return len(gone)

    async def expired(
        self, now: datetime, limit: int, without: AbstractSet[str] = frozenset()
    ) -> list[tuple[str, UUID]]:
        """Return the keys, but these, of media that are past their time, with their persons, in one statement."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT subject, data_key_id FROM media
                WHERE delete_time <= %(now)s AND data_key_id <> ALL(%(without)s::uuid[])
                ORDER BY delete_time LIMIT %(limit)s
                """,
                {"now": now, "limit": limit, "without": list(without)},
            )
            return [(subject, data_key_id) for subject, data_key_id in await cursor.fetchall()]

    async def forget_person(self, subject: str, until: datetime) -> None:
        """Delete what feed and outbox know of a person whose account goes, in one transaction."""
        async with self._pool.connection() as connection:
            await forget_person(connection, subject, until)

    async def forget_tombstones(self, before: datetime) -> int:
        """Delete tombstones from before a time; return how many."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM tombstone WHERE create_time < %(before)s", {"before": before}
            )
            return cursor.rowcount


async def _raise_fences(connection: Connection, subject: str, purposes: Sequence[str], revision: int) -> None:
    await connection.execute(
        """
        INSERT INTO fence (subject, purpose, revision)
        SELECT %(subject)s, unnest(%(purposes)s::text[]), %(revision)s
        ON CONFLICT (subject, purpose) DO UPDATE SET revision = greatest(fence.revision, EXCLUDED.revision)
        """,
        {"subject": subject, "purposes": sorted(purposes), "revision": revision},
    )


async def _lock(connection: Connection, subject: str) -> None:
    await connection.execute(
        "SELECT 1 FROM media WHERE subject = %(subject)s ORDER BY id FOR UPDATE", {"subject": subject}
    )


async def _close(connection: Connection, subject: str, whole: Sequence[UUID], lost: Sequence[UUID]) -> DeletionSet:
    """End a purge's transaction: what stays without some of its findings has changed for its owner."""
    deletion = await _deletion_set(connection, whole)
    await record_changed(connection, subject, [analysis_name(id_) for id_ in set(lost) - set(whole)])
    return deletion


async def _deletion_set(connection: Connection, media: Sequence[UUID]) -> DeletionSet:
    objects = await _column(
        connection,
        """
        SELECT object FROM previews WHERE media_id = ANY(%(media)s)
        UNION SELECT unnest(drafts) FROM media WHERE id = ANY(%(media)s)
        """,
        {"media": list(media)},
    )
    previews = await _column(
        connection, "SELECT count(*) FROM previews WHERE media_id = ANY(%(media)s)", {"media": list(media)}
    )
    keys = await _column(connection, "SELECT data_key_id FROM media WHERE id = ANY(%(media)s)", {"media": list(media)})
    return DeletionSet(tuple(media), tuple(keys), tuple(objects), int(previews[0]))


async def _column(connection: Connection, query: str, parameters: dict[str, object]) -> list[Any]:
    cursor = await connection.execute(query, parameters)
    return [value for (value,) in await cursor.fetchall()]
