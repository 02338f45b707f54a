"""Statements on `consent_event`."""

from collections.abc import Set as AbstractSet
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from services.chassis.database import Connection
from services.consent.store.records import EventRow


class EventRows:
    """One method per statement, on the connection of the running transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, subject: str, row: EventRow) -> None:
        """Add an event."""
        await self._connection.execute(
            """
            INSERT INTO consent_event (
                id, subject, revision, purpose, type, event_time, expire_time, notice, serving,
                policy_sha256, cascade_of, request_id, sealed
            ) VALUES (
                %(id)s, %(subject)s, %(revision)s, %(purpose)s, %(type)s, %(event_time)s, %(expire_time)s,
                %(notice)s, %(serving)s, %(policy_sha256)s, %(cascade_of)s, %(request_id)s, %(sealed)s
            )
            """,
            {"subject": subject, **asdict(row)},
        )

    async def latest(self, subject: str, *, up_to: int | None = None) -> list[EventRow]:
        """Return the newest event of each purpose, of those with a revision of at most `up_to`."""
        async with self._connection.cursor(row_factory=class_row(EventRow)) as cursor:
            await cursor.execute(
                """
                SELECT DISTINCT ON (purpose)
                    id, revision, purpose, type, event_time, expire_time, notice, serving,
                    policy_sha256, cascade_of, request_id, sealed
                FROM consent_event
                WHERE subject = %(subject)s AND (%(up_to)s::bigint IS NULL OR revision <= %(up_to)s)
                ORDER BY purpose, revision DESC
                """,
                {"subject": subject, "up_to": up_to},
            )
            return await cursor.fetchall()

    async def of_request(self, subject: str, request_id: UUID) -> list[EventRow]:
        """Return the events that a call made, in their order."""
        async with self._connection.cursor(row_factory=class_row(EventRow)) as cursor:
            await cursor.execute(
                """
                SELECT id, revision, purpose, type, event_time, expire_time, notice, serving,
                    policy_sha256, cascade_of, request_id, sealed
                FROM consent_event
                WHERE subject = %(subject)s AND request_id = %(request_id)s
                ORDER BY revision
                """,
                {"subject": subject, "request_id": request_id},
            )
            return await cursor.fetchall()

    async def page(self, subject: str, *, below: int | None, limit: int) -> list[EventRow]:
        """Return events with revisions under `below`, newest first."""
        async with self._connection.cursor(row_factory=class_row(EventRow)) as cursor:
            await cursor.execute(
                """
                SELECT id, revision, purpose, type, event_time, expire_time, notice, serving,
                    policy_sha256, cascade_of, request_id, sealed
                FROM consent_event
                WHERE subject = %(subject)s AND (%(below)s::bigint IS NULL OR revision < %(below)s)
                ORDER BY revision DESC LIMIT %(limit)s
                """,
                {"subject": subject, "below": below, "limit": limit},
            )
            return await cursor.fetchall()

    async def after(self, subject: str, time: datetime) -> list[EventRow]:
        """Return the events after a time, in their order."""
        async with self._connection.cursor(row_factory=class_row(EventRow)) as cursor:
            await cursor.execute(
                """
                SELECT id, revision, purpose, type, event_time, expire_time, notice, serving,
                    policy_sha256, cascade_of, request_id, sealed
                FROM consent_event
                WHERE subject = %(subject)s AND event_time > %(time)s
                ORDER BY revision
                """,
                {"subject": subject, "time": time},
            )
            return await cursor.fetchall()

    async def due(self, now: datetime, *, limit: int, since: datetime, without: AbstractSet[str]) -> list[str]:
        """Return persons, but these, whose newest event of a purpose is a grant that has run out, after `since`."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                """
                SELECT DISTINCT event.subject FROM consent_event AS event
                WHERE event.expire_time > %(since)s AND event.expire_time <= %(now)s
                    AND event.subject <> ALL(%(without)s) AND NOT EXISTS (
                    SELECT FROM consent_event AS later
                    WHERE later.subject = event.subject AND later.purpose = event.purpose
                        AND later.revision > event.revision
                )
                LIMIT %(limit)s
                """,
                {"now": now, "since": since, "limit": limit, "without": list(without)},
            )
            return [str(subject) for subject in await cursor.fetchall()]

    async def delete(self, subject: str) -> int:
        """Delete all events of a person."""
        cursor = await self._connection.execute(
            "DELETE FROM consent_event WHERE subject = %(subject)s", {"subject": subject}
        )
        return cursor.rowcount
