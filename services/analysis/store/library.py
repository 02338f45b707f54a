"""What is stored of a person, for reading: one method for each statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import args_row, class_row

from services.analysis.domain.media import MediaState, ParkedReason, PreviewSize
from services.analysis.ports import MediaStatus, SealedFindings, StoredPreview
from services.chassis.database import Pool
from services.keyring import Purpose


class LibraryStore:
    """Implements `Library` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def statuses(self, subject: str) -> list[MediaStatus]:
        """Returns every media of a person."""
        async with self._pool.connection() as connection, connection.cursor(row_factory=args_row(_status)) as cursor:
            await cursor.execute(
                """
                SELECT id, purpose, data_key_id, state, parked_reason, analyze_time, delete_time
                FROM media WHERE subject = %(subject)s ORDER BY id
                """,
                {"subject": subject},
            )
            return await cursor.fetchall()

    async def status(self, subject: str, media: UUID) -> MediaStatus | None:
        """Returns one media of a person."""
        async with self._pool.connection() as connection, connection.cursor(row_factory=args_row(_status)) as cursor:
            await cursor.execute(
                """
                SELECT id, purpose, data_key_id, state, parked_reason, analyze_time, delete_time
                FROM media WHERE subject = %(subject)s AND id = %(media)s
                """,
                {"subject": subject, "media": media},
            )
            return await cursor.fetchone()

    async def findings(self, subject: str) -> list[SealedFindings]:
        """Returns every record of a person."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(SealedFindings)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT media_id, findings.purpose, models, findings.data_key_id, findings.purpose_revision, sealed
                FROM findings JOIN media ON media.id = findings.media_id WHERE media.subject = %(subject)s
                """,
                {"subject": subject},
                binary=True,
            )
            return await cursor.fetchall()

    async def own_findings(self, media: Sequence[UUID]) -> list[SealedFindings]:
        """Returns the records that media have for the purposes that they are kept for."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(SealedFindings)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT media_id, findings.purpose, models, findings.data_key_id, findings.purpose_revision, sealed
                FROM findings JOIN media ON media.id = findings.media_id AND media.purpose = findings.purpose
                WHERE media_id = ANY(%(media)s)
                """,
                {"media": list(media)},
            )
            return await cursor.fetchall()

    async def preview(self, subject: str, media: UUID, size: PreviewSize) -> StoredPreview | None:
        """Returns a reduced copy."""
        async with self._pool.connection() as connection, connection.cursor(row_factory=args_row(_preview)) as cursor:
            await cursor.execute(
                """
                SELECT media_id, size, object, byte_offset, byte_count, previews.data_key_id,
                       previews.purpose_revision
                FROM previews JOIN media ON media.id = previews.media_id
                WHERE media.subject = %(subject)s AND media_id = %(media)s AND size = %(size)s
                """,
                {"subject": subject, "media": media, "size": size},
            )
            return await cursor.fetchone()

    async def progress(self, subject: str) -> Mapping[MediaState, int]:
        """Counts a person's media by state."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT state, count(*) FROM media WHERE subject = %(subject)s GROUP BY state", {"subject": subject}
            )
            return {MediaState(state): count for state, count in await cursor.fetchall()}


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
