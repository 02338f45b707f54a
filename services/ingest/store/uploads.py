"""Table of uploads: one method, one transaction.

A commit holds the person's advisory lock shared and a purge holds it alone, so that a commit either sees the fence
or is seen by the purge. What belongs to one transaction is sent in one go: the statements that follow a refusal are
rolled back with it.
"""

from datetime import datetime
from uuid import UUID

import psycopg
from psycopg import Rollback, errors
from psycopg.rows import dict_row, kwargs_row

from services.chassis.database import Connection, Pool
from services.chassis.messaging import outbox
from services.chassis.messaging.events import OutgoingEvent
from services.ingest.domain.media import PageStart
from services.ingest.domain.quota import Quota, Used
from services.ingest.domain.records import MediaRow, NewSegment, Segment, UploadRow
from services.ingest.ports import Survey
from services.ingest.ports.outcomes import Addition, Completion
from services.ingest.store import statements
from services.ingest.store.connections import find_segments, quota_parameters, single_statements
from services.ingest.store.statements import media_row, upload_row

_REFUSALS = frozenset({"PLFEN", "PLNOR", errors.UniqueViolation.sqlstate})
"""Fenced, no room, or there already; the first two are raised by the function `store_at_once`."""


class UploadStore:
    """Implements `ports.Uploads` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, subject: str, upload_id: UUID) -> UploadRow | None:
        """Return an upload of the person."""
        async with (
            single_statements(self._pool) as connection,
            connection.cursor(row_factory=kwargs_row(upload_row)) as cursor,
        ):
            await cursor.execute(statements.FIND_UPLOAD, {"subject": subject, "id": upload_id})
            return await cursor.fetchone()

    async def page(self, subject: str, after: PageStart | None, limit: int, *, now: datetime) -> list[UploadRow]:
        """Return open uploads whose time is not over, newest first, in one statement."""
        statement = statements.FIRST_UPLOADS if after is None else statements.NEXT_UPLOADS
        parameters = {"subject": subject, "limit": limit, "now": now, **({} if after is None else vars(after))}
        async with (
            single_statements(self._pool) as connection,
            connection.cursor(row_factory=kwargs_row(upload_row)) as cursor,
        ):
            await cursor.execute(statement, parameters)
            return await cursor.fetchall()

    async def survey(self, subject: str, request_id: UUID, *, bytes_tag: bytes, tag: bytes) -> Survey:
        """Return what is there that a new upload has to do with, in one round trip."""
        of = {"subject": subject, "request_id": request_id, "bytes_tag": bytes_tag, "tag": tag, "tags": [tag]}
        async with single_statements(self._pool) as connection:
            cursor = await connection.execute(statements.GLANCE, of)
            size_bytes, row_count, is_there, is_taken = (await cursor.fetchone()) or (0, 0, False, False)
            used = Used(size_bytes, row_count)
            if not is_there:
                return Survey((), (), used, is_taken)
            async with (
                connection.cursor(row_factory=kwargs_row(upload_row)) as earlier,
                connection.cursor(row_factory=kwargs_row(media_row)) as kept,
            ):
                await earlier.execute(statements.FIND_EARLIER_UPLOADS, of)
                await kept.execute(statements.FIND_TAGGED_MEDIA, of)
                return Survey(tuple(await earlier.fetchall()), tuple(await kept.fetchall()), used, is_taken)

    async def add(self, row: UploadRow, *, quota: Quota) -> Addition:
        """Open an upload and reserve its bytes."""
        if not quota.has_room(Used(), row.size_bytes):
            return Addition.NO_ROOM
        reservation = {"subject": row.subject, "size_bytes": row.size_bytes, **quota_parameters(quota)}
        try:
            async with self._pool.connection() as connection, connection.pipeline() as pipeline:
                await _hold(connection, row.subject)
                room = await connection.execute(statements.RESERVE, reservation)
                added = await connection.execute(statements.ADD_UPLOAD, vars(row))
                await pipeline.sync()
                if room.rowcount and added.rowcount:
                    return Addition.ADDED
                await connection.rollback()
                return Addition.FENCED if room.rowcount else Addition.NO_ROOM
        except errors.UniqueViolation:
            return Addition.TAKEN

    async def add_complete(self, row: UploadRow, *, quota: Quota) -> Addition:
        """Note a request for what is kept already, in one statement."""
        async with self._pool.connection() as connection:
            values = {**vars(row), **quota_parameters(quota)}
            cursor = await connection.execute(statements.ADD_COMPLETE_UPLOAD, values)
            return Addition.ADDED if await cursor.fetchone() == (True,) else Addition.NO_ROOM

    async def take_over(self, subject: str, upload_id: UUID) -> tuple[UploadRow, bytes | None] | None:
        """Make the caller the one writer of an open upload, in one statement."""
        async with (
            single_statements(self._pool) as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(statements.TAKE_OVER, {"subject": subject, "id": upload_id})
            found = await cursor.fetchone()
        if found is None:
            return None
        tail = found.pop("sealed_tail")
        return upload_row(**found), tail

    async def commit(self, row: UploadRow, new: NewSegment | None, *, tail: bytes | None) -> bool:
        """Store how far an upload has come, in one transaction."""
        try:
            async with self._pool.connection() as connection, connection.pipeline() as pipeline:
                await _hold(connection, row.subject)
                advanced = await connection.execute(statements.ADVANCE, {**vars(row), "tail": tail})
                if new is not None:
                    await _add_segment(connection, row, new)
                await pipeline.sync()
                if not advanced.rowcount:
                    await connection.rollback()
                return advanced.rowcount == 1
        except errors.UniqueViolation:  # another writer's segment has this place
            return False

    async def complete(
        self, row: UploadRow, media: MediaRow, new: NewSegment, event: OutgoingEvent, now: datetime
    ) -> Completion:
        """Make the media: the last segment, the media, the event."""
        try:
            async with self._pool.connection() as connection, connection.pipeline() as pipeline:
                await _hold(connection, row.subject)
                claimed = await connection.execute(statements.CLAIM, {**vars(row), "now": now})
                made = await connection.execute(statements.ADD_MEDIA, vars(media))
                await _add_segment(connection, row, new)
                await connection.execute(statements.FORGET_DELETION, vars(media))
                await outbox.append(connection, event)
                await pipeline.sync()
                if claimed.rowcount and made.rowcount:
                    return Completion.STORED
                await connection.rollback()
                return Completion.KEPT_ALREADY if claimed.rowcount else Completion.GONE
        except errors.UniqueViolation:  # another writer's segment has this place
            return Completion.GONE

    async def complete_at_once(
        self, row: UploadRow, media: MediaRow, new: NewSegment, event: OutgoingEvent, now: datetime, *, quota: Quota
    ) -> Completion:
        """As `complete`, of an upload that is not there yet: it is added, complete."""
        values = {
            **vars(row),
            "committed_bytes": row.size_bytes,
            "chunked_bytes": row.size_bytes,
            "complete_time": now,
            **quota_parameters(quota),
            "sealed_metadata": media.sealed_metadata,
            "upload_time": media.upload_time,
            "metadata_revision": media.metadata_revision,
            "object": new.segment.object,
            "object_bytes": new.segment.size_bytes,
            **outbox.event_parameters(event),
        }
        try:
            async with single_statements(self._pool) as connection:
                await connection.execute(statements.STORE_AT_ONCE, values)
        except psycopg.DatabaseError as error:
            if error.sqlstate in _REFUSALS:
                return Completion.GONE
            raise
        return Completion.STORED

    async def replace(
        self, row: UploadRow, media: MediaRow, new: NewSegment, event: OutgoingEvent, *, old: MediaRow, now: datetime
    ) -> Completion:
        """As `complete`, in place of what was kept of the same media, which is discarded."""
        result = Completion.STORED
        async with self._pool.connection() as connection, connection.transaction():
            await _hold(connection, row.subject)
            claimed = await connection.execute(statements.CLAIM, {**vars(row), "now": now})
            replaced = await connection.execute(
                statements.REPLACE_MEDIA, {**vars(media), "old_data_key_id": old.data_key_id}
            )
            if not (claimed.rowcount and replaced.rowcount):
                result = Completion.GONE
                raise Rollback
            await _add_segment(connection, row, new)
            await connection.execute(statements.DISCARD_STREAM, {**vars(old), "now": now})
            await connection.execute(statements.RELEASE, vars(old))
            await outbox.append(connection, event)
        return result

    async def complete_as_duplicate(self, row: UploadRow, *, media_id: UUID, now: datetime) -> None:
        """Completes an upload by a media that is kept already, and discards what was received."""
        async with self._pool.connection() as connection, connection.transaction():
            await _hold(connection, row.subject)
            completed = await connection.execute(
                statements.COMPLETE_AS_DUPLICATE, {**vars(row), "media_id": media_id, "now": now}
            )
            if completed.rowcount:
                await connection.execute(statements.DISCARD_STREAM, {**vars(row), "now": now})
                await connection.execute(statements.RELEASE, vars(row))

    async def discard(self, subject: str, upload_id: UUID, now: datetime) -> None:
        """Forgets an upload; of an open one what was received is discarded."""
        await self._delete(statements.DELETE_UPLOAD, subject, upload_id, now)

    async def cancel(self, subject: str, upload_id: UUID, now: datetime, *, writer: int | None = None) -> bool:
        """Forget an open upload and discard what was received, in one transaction."""
        return await self._delete(statements.DELETE_OPEN_UPLOAD, subject, upload_id, now, writer)

    async def _delete(
        self, statement: str, subject: str, upload_id: UUID, now: datetime, writer: int | None = None
    ) -> bool:
        async with self._pool.connection() as connection, connection.transaction():
            await _hold(connection, subject)
            async with connection.cursor(row_factory=kwargs_row(upload_row)) as cursor:
                await cursor.execute(statement, {"subject": subject, "id": upload_id, "writer": writer})
                row = await cursor.fetchone()
            if row is not None and row.complete_time is None:
                await connection.execute(statements.DISCARD_STREAM, {**vars(row), "now": now})
                await connection.execute(statements.RELEASE, vars(row))
        return row is not None

    async def segments(self, data_key_id: UUID) -> list[Segment]:
        """Return the segments of a sealed stream, in order."""
        return await find_segments(self._pool, data_key_id)


async def _hold(connection: Connection, subject: str) -> None:
    await connection.execute(statements.HOLD_SUBJECT, {"subject": subject})


async def _add_segment(connection: Connection, row: UploadRow, new: NewSegment) -> None:
    await connection.execute(
        statements.ADD_SEGMENT,
        {
            "object": new.segment.object,
            "data_key_id": row.data_key_id,
            "position": new.position,
            "size_bytes": new.segment.size_bytes,
        },
    )
