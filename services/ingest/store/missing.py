"""Table of media whose bytes cannot be read: one method, one transaction."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from services.chassis.changes.records import record_changed
from services.chassis.database import Pool
from services.chassis.gauges import Reading
from services.chassis.metrics import Metric, MetricKind
from services.ingest.domain.media import media_name
from services.ingest.domain.records import KeptStream, MediaRow, Segment
from services.ingest.store.connections import single_statements

MEDIA_MISSING = Metric(
    "pellicule.media.missing",
    MetricKind.GAUGE,
    "{media}",
    "Media whose bytes were lost and are asked for again; other than none is an alarm",
)

_STREAMS = """
    SELECT id, subject, data_key_id,
        ARRAY(SELECT object FROM segment WHERE segment.data_key_id = media.data_key_id ORDER BY position),
        ARRAY(SELECT size_bytes FROM segment WHERE segment.data_key_id = media.data_key_id ORDER BY position),
        EXISTS (SELECT FROM missing_media WHERE missing_media.data_key_id = media.data_key_id)
    FROM (SELECT * FROM media WHERE id > %(after)s ORDER BY id LIMIT %(limit)s) AS media ORDER BY id
"""
_MARK = """
    INSERT INTO missing_media (data_key_id, subject, media_id, broken, find_time)
    SELECT data_key_id, subject, id, %(broken)s, %(now)s FROM media
    WHERE id = %(id)s AND subject = %(subject)s AND data_key_id = %(data_key_id)s
    FOR KEY SHARE
    ON CONFLICT DO NOTHING
"""
_UNMARK = "DELETE FROM missing_media WHERE data_key_id = %(data_key_id)s AND (NOT broken OR %(opened)s)"


class MissingStore:
    """Implements `ports.missing.MissingMedia` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def streams(self, after: UUID, limit: int) -> list[KeptStream]:
        """Return what is kept of media, by their ids, from behind one on."""
        async with single_statements(self._pool) as connection:
            cursor = await connection.execute(_STREAMS, {"after": after, "limit": limit})
            return [
                KeptStream(media_id, subject, key_id, tuple(map(Segment, objects, sizes)), missing)
                for media_id, subject, key_id, objects, sizes, missing in await cursor.fetchall()
            ]

    async def mark(self, media: MediaRow | KeptStream, now: datetime, *, broken: bool) -> bool:
        """Note that what is kept of a media cannot be read, and tell its owner's feed."""
        found = {"id": media.id, "subject": media.subject, "data_key_id": media.data_key_id}
        return await self._change(media, _MARK, {**found, "broken": broken, "now": now})

    async def unmark(self, media: MediaRow | KeptStream, *, opened: bool) -> bool:
        """Note that it can be read after all, and tell its owner's feed; what is broken must have been opened."""
        return await self._change(media, _UNMARK, {"data_key_id": media.data_key_id, "opened": opened})

    async def look(self) -> Iterable[Reading]:
        """Return how many media are missing; a look of the process's gauges."""
        async with single_statements(self._pool) as connection:
            cursor = await connection.execute("SELECT count(*) FROM missing_media")
            ((count,),) = await cursor.fetchall()
        return [Reading(MEDIA_MISSING, count)]

    async def _change(self, media: MediaRow | KeptStream, statement: str, parameters: dict[str, object]) -> bool:
        async with self._pool.connection() as connection:
            changed = await connection.execute(statement, parameters)
            if changed.rowcount:
                await record_changed(connection, media.subject, [media_name(media.id)])
        return changed.rowcount > 0
