"""Metadata store: what owners change of their media, in the row and in the record of findings that holds a copy."""

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from psycopg.rows import class_row

from services.analysis.domain.media import MediaState, MetadataUpdate, analysis_name
from services.analysis.domain.rows import RenewedRecord, StaleRecord, UpdateOutcome
from services.analysis.store.commit import Event
from services.chassis.changes.records import record_changed
from services.chassis.database import Connection, Pool
from services.chassis.messaging import outbox


class MetadataStore:
    """Implements `MetadataTable` on PostgreSQL."""

    def __init__(self, pool: Pool, event: Event) -> None:
        self._pool = pool
        self._event = event

    async def update_metadata(self, update: MetadataUpdate) -> UpdateOutcome:
        """Keep the metadata of a media unless it is older than what is kept, in one statement."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                WITH updated AS (
                    UPDATE media SET sealed_metadata = %(sealed_metadata)s, metadata_revision = %(metadata_revision)s
                    WHERE id = %(media)s AND subject = %(subject)s AND data_key_id = %(data_key_id)s::uuid
                      AND metadata_revision < %(metadata_revision)s
                    RETURNING id
                )
                SELECT EXISTS (SELECT 1 FROM updated), EXISTS (
                    SELECT 1 FROM media
                    WHERE id = %(media)s AND subject = %(subject)s AND metadata_revision >= %(metadata_revision)s
                )
                """,
                vars(update),
            )
            updated, known = await cursor.fetchone() or (False, False)
        return UpdateOutcome.UPDATED if updated else UpdateOutcome.KNOWN if known else UpdateOutcome.UNKNOWN

    async def stale_records(self, media: Sequence[UUID]) -> list[StaleRecord]:
        """Return records of findings of media that are older than their metadata, in one statement."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(StaleRecord)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT media.id AS media, subject, media.purpose, media.data_key_id, sealed_metadata,
                       media.metadata_revision, findings.data_key_id AS record_key_id, sealed AS sealed_record
                FROM media JOIN findings ON findings.media_id = media.id AND findings.purpose = media.purpose
                WHERE findings.metadata_revision < media.metadata_revision AND media.id = ANY(%(media)s)
                """,
                {"media": list(media)},
            )
            return await cursor.fetchall()

    async def media_with_stale_records(self, limit: int, without: AbstractSet[str]) -> list[tuple[str, UUID]]:
        """Return media, but these, with records that are older than their metadata, with their persons."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT subject, media_id FROM findings JOIN media ON media.id = findings.media_id
                WHERE findings.stale AND media_id <> ALL(%(without)s::uuid[])
                ORDER BY media_id LIMIT %(limit)s
                """,
                {"limit": limit, "without": list(without)},
            )
            return [(subject, id_) for subject, id_ in await cursor.fetchall()]

    async def commit_records(self, records: Sequence[RenewedRecord]) -> None:
        """Put records in the place of older ones under the same keys, with an event for each, in one transaction."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "SELECT 1 FROM media WHERE id = ANY(%(media)s) ORDER BY id FOR UPDATE",
                {"media": [record.media for record in records]},
            )
            renewed: defaultdict[str, list[UUID]] = defaultdict(list)
            for record in records:
                for subject, state in await _renew(connection, record):
                    await outbox.append(connection, self._event(subject, record.media, MediaState(state), None))
                    renewed[subject].append(record.media)
            for subject in sorted(renewed):
                await record_changed(connection, subject, [analysis_name(id_) for id_ in renewed[subject]])


async def _renew(connection: Connection, record: RenewedRecord) -> list[tuple[str, str]]:
    """Return the person and the state of the media if its record was renewed."""
    cursor = await connection.execute(
        """
        UPDATE findings SET sealed = %(sealed)s, metadata_revision = %(metadata_revision)s
        FROM media
        WHERE media.id = findings.media_id AND media.id = %(media)s AND findings.data_key_id = %(data_key_id)s
          AND findings.metadata_revision < %(metadata_revision)s
        RETURNING media.subject, media.state
        """,
        vars(record),
    )
    return list(await cursor.fetchall())
