"""Tables of media and of what was deleted: one method, one transaction."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from psycopg import Rollback
from psycopg.rows import kwargs_row

from services.chassis.changes.records import record_deleted
from services.chassis.database import Connection, Pool
from services.chassis.messaging import outbox
from services.chassis.messaging.consumer import first_time
from services.chassis.messaging.events import OutgoingEvent
from services.ingest.domain.media import PageStart, Usage, media_name
from services.ingest.domain.quota import MOST_EVENTS, Quota, Used
from services.ingest.domain.records import MediaRow, Segment
from services.ingest.ports import Request
from services.ingest.ports.outcomes import MediaUpdate
from services.ingest.store import statements
from services.ingest.store.connections import find_segments, quota_parameters, single_statements
from services.ingest.store.statements import media_row

_FIRST = PageStart(datetime.min.replace(tzinfo=UTC), UUID(int=0))
_LAST = PageStart(datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))


class MediaStore:
    """Implements `ports.MediaTable` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, subject: str, media_id: UUID) -> MediaRow | None:
        """Return a media of the person."""
        rows = await self._rows(statements.FIND_MEDIA, {"subject": subject, "id": media_id})
        return rows[0] if rows else None

    async def find_many(self, subject: str, media_ids: Collection[UUID]) -> list[MediaRow]:
        """Return those of the media that the person has, in one statement."""
        return await self._rows(statements.FIND_MANY_MEDIA, {"subject": subject, "ids": list(media_ids)})

    async def find_tagged(self, subject: str, tags: Collection[bytes]) -> list[MediaRow]:
        """Return the media of these originals."""
        return await self._rows(statements.FIND_TAGGED_MEDIA, {"subject": subject, "tags": list(tags)})

    async def page(
        self, subject: str, after: PageStart | None, limit: int, *, newest_first: bool = True
    ) -> list[MediaRow]:
        """Return media by the time of their uploads, from behind `after` on, in one statement."""
        statement = statements.NEWEST_MEDIA if newest_first else statements.OLDEST_MEDIA
        start = after or (_LAST if newest_first else _FIRST)
        return await self._rows(statement, {"subject": subject, "limit": limit, **vars(start)})

    async def segments(self, data_key_id: UUID) -> list[Segment]:
        """Return the segments of a sealed stream, in order."""
        return await find_segments(self._pool, data_key_id)

    async def discard(self, row: MediaRow, now: datetime) -> None:
        """Delete a media that cannot be opened any more, and discards its stream."""
        async with self._pool.connection() as connection, connection.transaction():
            deleted = await connection.execute(statements.DELETE_MEDIA, vars(row))
            if deleted.rowcount:
                await connection.execute(statements.DISCARD_STREAM, {**vars(row), "now": now})
                await connection.execute(statements.RELEASE, vars(row))

    async def update(
        self, row: MediaRow, event: OutgoingEvent | None, request: Request | None, now: datetime, *, quota: Quota
    ) -> MediaUpdate:
        """Store what is known of a media now, in one transaction with the event and the request."""
        result = MediaUpdate.STORED
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(statements.HOLD_SUBJECT, {"subject": row.subject})
            if request is not None:
                result = await _note(connection, row.subject, request, now, quota)
            if result is MediaUpdate.STORED and event is not None:
                if await _has_too_many_events(connection, row.subject):
                    result = MediaUpdate.TOO_MANY_EVENTS
                    raise Rollback
                updated = await connection.execute(statements.UPDATE_MEDIA, vars(row))
                if not updated.rowcount:
                    result = MediaUpdate.STALE
                    raise Rollback
                await outbox.append(connection, event)
        return result

    async def deleted_tags(self, subject: str, tags: Collection[bytes]) -> set[bytes]:
        """Return those of the tags whose media their owner deleted."""
        async with single_statements(self._pool) as connection:
            cursor = await connection.execute(statements.DELETED_TAGS, {"subject": subject, "tags": list(tags)})
            return {bytes(tag) for (tag,) in await cursor.fetchall()}

    async def was_deleted(self, subject: str, media_id: UUID) -> bool:
        """Tells whether the owner deleted a media of this id."""
        async with single_statements(self._pool) as connection:
            cursor = await connection.execute(statements.WAS_DELETED, {"subject": subject, "media_id": media_id})
            return cursor.rowcount > 0

    async def tell_deleted(self, subject: str, media_id: UUID, now: datetime) -> None:
        """Say to the plan and in the person's change feed that its owner deleted a media, each in one statement."""
        deletion = {"subject": subject, "media_id": media_id, "now": now}
        async with single_statements(self._pool) as connection:
            await connection.execute(statements.REMEMBER_DELETION, deletion)
            await record_deleted(connection, subject, [media_name(media_id)])

    async def used(self, subject: str) -> Used:
        """Return what is taken of the person's share."""
        async with single_statements(self._pool) as connection:
            cursor = await connection.execute(statements.USED, {"subject": subject})
            return Used(*(await cursor.fetchone() or ()))

    async def usage(self, subject: str, now: datetime) -> Usage:
        """Return what a person uses, in one statement."""
        async with single_statements(self._pool) as connection:
            cursor = await connection.execute(statements.USAGE, {"subject": subject, "now": now})
            size_bytes, row_count, media, uploads = (await cursor.fetchone()) or (0, 0, 0, 0)
            return Usage(Used(size_bytes, row_count), media_count=media, open_upload_count=uploads)

    async def want_originals(self, consumer: str, event_id: str, subject: str, media_ids: Sequence[UUID]) -> int:
        """Note once for an event that the originals of these media are wanted; return how many were not before."""
        async with self._pool.connection() as connection:
            if not await first_time(connection, consumer, event_id):
                return 0
            wanted = await connection.execute(statements.WANT_ORIGINALS, {"subject": subject, "ids": list(media_ids)})
            return wanted.rowcount

    async def _rows(self, statement: str, parameters: dict[str, object]) -> list[MediaRow]:
        async with (
            single_statements(self._pool) as connection,
            connection.cursor(row_factory=kwargs_row(media_row)) as cursor,
        ):
            await cursor.execute(statement, parameters)
            return await cursor.fetchall()


async def _note(connection: Connection, subject: str, request: Request, now: datetime, quota: Quota) -> MediaUpdate:
    said = {"subject": subject, "request_id": request.id, "request_tag": request.tag, "now": now}
    if (await connection.execute(statements.NOTE_REQUEST, {**said, **quota_parameters(quota)})).rowcount:
        return MediaUpdate.STORED
    cursor = await connection.execute(statements.IS_SAME_REQUEST, said)
    found = await cursor.fetchone()
    if found is None:
        return MediaUpdate.NO_ROOM
    return MediaUpdate.REPEATED if found[0] else MediaUpdate.REQUEST_ID_REUSED


async def _has_too_many_events(connection: Connection, subject: str) -> bool:
    cursor = await connection.execute(statements.EVENTS_WAITING, {"subject": subject, "most": MOST_EVENTS})
    return await cursor.fetchone() == (MOST_EVENTS,)
