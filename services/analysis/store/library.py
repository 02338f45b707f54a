"""Library store: a person's analyses, for reading; one statement a method."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import args_row, class_row

from services.analysis.domain.media import MediaState, ParkedReason, PreviewSize
from services.analysis.domain.rows import MediaStatus, SealedFindings, StoredPreview
from services.chassis.database import Pool
from services.keyring import Purpose

_LOOKED_AT_FOR_WORK = 200
"""Media are claimed in the order in which they are due: what is at work is among the first."""


class LibraryStore:
    """Implements `Library` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def statuses(self, subject: str, media: Sequence[UUID] | None = None) -> list[MediaStatus]:
        """Return a person's media, in one statement."""
        async with self._pool.connection() as connection, connection.cursor(row_factory=args_row(_status)) as cursor:
            await cursor.execute(
                """
                SELECT id, purpose, data_key_id, state, parked_reason, analyze_time, delete_time
                FROM media WHERE subject = %(subject)s AND (%(media)s::uuid[] IS NULL OR id = ANY(%(media)s))
                ORDER BY id
                """,
                {"subject": subject, "media": _listed(media)},
            )
            return await cursor.fetchall()

    async def findings(self, subject: str, media: Sequence[UUID] | None = None) -> list[SealedFindings]:
        """Return a person's records, in one statement."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(SealedFindings)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT media_id, findings.purpose, models, findings.data_key_id, findings.purpose_revision, sealed,
                       findings.metadata_revision
                FROM findings JOIN media ON media.id = findings.media_id
                WHERE media.subject = %(subject)s AND (%(media)s::uuid[] IS NULL OR media.id = ANY(%(media)s))
                """,
                {"subject": subject, "media": _listed(media)},
                binary=True,
            )
            return await cursor.fetchall()

    async def own_findings(self, media: Sequence[UUID]) -> list[SealedFindings]:
        """Return the records that media have for the purposes that they are kept for, in one statement."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(SealedFindings)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT media_id, findings.purpose, models, findings.data_key_id, findings.purpose_revision, sealed,
                       findings.metadata_revision
                FROM findings JOIN media ON media.id = findings.media_id AND media.purpose = findings.purpose
                WHERE media_id = ANY(%(media)s)
                """,
                {"media": list(media)},
            )
            return await cursor.fetchall()

    async def stored_previews(self, subject: str, media: Sequence[UUID], size: PreviewSize) -> list[StoredPreview]:
        """Return the previews of one size that media of a person have, in one statement."""
        async with self._pool.connection() as connection, connection.cursor(row_factory=args_row(_preview)) as cursor:
            await cursor.execute(
                """
                SELECT media_id, size, object, byte_offset, byte_count, previews.data_key_id,
                       previews.purpose_revision
                FROM previews JOIN media ON media.id = previews.media_id
                WHERE media.subject = %(subject)s AND media_id = ANY(%(media)s) AND size = %(size)s
                """,
                {"subject": subject, "media": list(media), "size": size},
            )
            return await cursor.fetchall()

    async def progress(self, subject: str) -> Mapping[MediaState, int]:
        """Count a person's media by state, in one statement."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT state, count(*) FROM media WHERE subject = %(subject)s GROUP BY state", {"subject": subject}
            )
            return {MediaState(state): count for state, count in await cursor.fetchall()}

    async def at_work(self, now: datetime) -> bool:
        """Say whether any of the media that are due first is claimed, in one statement."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT coalesce(bool_or(claim_end_time > %(now)s), false) FROM (
                    SELECT claim_end_time FROM media WHERE state = 'PENDING'
                    ORDER BY next_attempt_time, id LIMIT %(looked_at)s
                ) AS first
                """,
                {"now": now, "looked_at": _LOOKED_AT_FOR_WORK},
            )
            row = await cursor.fetchone()
        return row is not None and bool(row[0])


def _listed(media: Sequence[UUID] | None) -> list[UUID] | None:
    return None if media is None else list(media)


def _status(
    media: UUID,
    purpose: str,
    data_key_id: UUID,
    state: str,
    reason: str | None,
    analyze_time: datetime | None,
    delete_time: datetime,
) -> MediaStatus:
    parked = None if reason is None else ParkedReason(reason)
    return MediaStatus(media, Purpose(purpose), data_key_id, MediaState(state), parked, analyze_time, delete_time)


def _preview(
    media: UUID, size: str, name: str, offset: int, count: int, data_key_id: UUID, purpose_revision: int
) -> StoredPreview:
    return StoredPreview(media, PreviewSize(size), name, offset, count, data_key_id, purpose_revision)
