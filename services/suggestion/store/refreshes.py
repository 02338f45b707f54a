"""Statements on `due`."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from psycopg.rows import class_row

from services.chassis.database import Connection
from services.chassis.telemetry.spans import kept_trace
from services.suggestion.ports import Due


class RefreshTable:
    """One statement in each method, on the connection of the running transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def mark_due(self, subject: str, now: datetime, upload_time: datetime | None = None) -> None:
        """Remember that a person's photos were analyzed, or that some have gone; and the trace in which that is."""
        await self._connection.execute(
            """
            INSERT INTO due (subject, first_time, last_time, upload_time, trace)
            VALUES (%(subject)s, %(now)s, %(now)s, %(upload_time)s, %(trace)s)
            ON CONFLICT (subject) DO UPDATE SET
                last_time = excluded.last_time, upload_time = least(due.upload_time, excluded.upload_time),
                trace = coalesce(nullif(excluded.trace, ''), due.trace)
            """,
            {"subject": subject, "now": now, "upload_time": upload_time, "trace": kept_trace()},
        )

    async def due(
        self, now: datetime, quiet: timedelta, patience: timedelta, without: AbstractSet[str] = frozenset()
    ) -> list[Due]:
        """Return the persons, but these, whose photos have stopped coming, or have been coming for too long."""
        async with self._connection.cursor(row_factory=class_row(Due)) as cursor:
            await cursor.execute(
                """
                SELECT subject, upload_time, trace FROM due
                WHERE (last_time <= %(now)s - %(quiet)s OR first_time <= %(now)s - %(patience)s)
                    AND subject <> ALL(%(without)s)
                ORDER BY first_time LIMIT 100
                """,
                {"now": now, "quiet": quiet, "patience": patience, "without": list(without)},
            )
            return await cursor.fetchall()

    async def waits(self, subject: str) -> bool:
        """Tell whether a person is in the queue."""
        cursor = await self._connection.execute("SELECT FROM due WHERE subject = %(subject)s", {"subject": subject})
        return cursor.rowcount > 0

    async def count(self, now: datetime, quiet: timedelta, patience: timedelta, limit: int) -> int:
        """Return how many persons are due and not set aside, counted up to a number."""
        cursor = await self._connection.execute(
            """
            SELECT count(*) FROM (
                SELECT FROM due
                WHERE (last_time <= %(now)s - %(quiet)s OR first_time <= %(now)s - %(patience)s) AND NOT EXISTS (
                    SELECT FROM set_aside WHERE kind = 'refresh' AND item = due.subject AND next_time > %(now)s
                )
                LIMIT %(limit)s
            ) AS counted
            """,
            {"now": now, "quiet": quiet, "patience": patience, "limit": limit},
        )
        ((count,),) = await cursor.fetchall()
        return int(count)

    async def done(self, subject: str, until: datetime) -> None:
        """Forget that a person is due, unless more was analyzed after a time: that has waited since then, at most."""
        cursor = await self._connection.execute(
            "DELETE FROM due WHERE subject = %(subject)s AND last_time <= %(until)s",
            {"subject": subject, "until": until},
        )
        if not cursor.rowcount:
            await self._connection.execute(
                "UPDATE due SET upload_time = greatest(upload_time, %(until)s) WHERE subject = %(subject)s"
                " AND upload_time IS NOT NULL",
                {"subject": subject, "until": until},
            )

    async def delete(self, subject: str) -> int:
        """Forget that a person is due, whatever came since; return how many rows that were."""
        cursor = await self._connection.execute("DELETE FROM due WHERE subject = %(subject)s", {"subject": subject})
        return cursor.rowcount
