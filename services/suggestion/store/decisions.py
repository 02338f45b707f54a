"""Statements on `decision`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Connection
from services.suggestion.domain.suggestions import Decision
from services.suggestion.ports import DecisionRow


class DecisionTable:
    """One statement in each method, on the connection of the running transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, subject: str, request_id: UUID) -> DecisionRow | None:
        """Return what a request decided, if it was carried out."""
        query = (
            "SELECT suggestion_id, decision FROM decision WHERE subject = %(subject)s AND request_id = %(request_id)s"
        )
        async with self._connection.cursor(row_factory=class_row(DecisionRow)) as cursor:
            return await (await cursor.execute(query, {"subject": subject, "request_id": request_id})).fetchone()

    async def add(self, subject: str, request_id: UUID, suggestion_id: UUID, decision: Decision, now: datetime) -> None:
        """Remember a request."""
        await self._connection.execute(
            """
            INSERT INTO decision (subject, request_id, suggestion_id, decision, create_time)
            VALUES (%(subject)s, %(request_id)s, %(suggestion_id)s, %(decision)s, %(now)s)
            ON CONFLICT (subject, request_id) DO NOTHING
            """,
            {
                "subject": subject,
                "request_id": request_id,
                "suggestion_id": suggestion_id,
                "decision": decision.value,
                "now": now,
            },
        )

    async def delete(self, subject: str, until: datetime) -> int:
        """Delete a person's requests up to a time; return how many."""
        cursor = await self._connection.execute(
            "DELETE FROM decision WHERE subject = %(subject)s AND create_time <= %(until)s",
            {"subject": subject, "until": until},
        )
        return cursor.rowcount

    async def forget(self, before: datetime) -> int:
        """Delete requests from before a time, of whichever person; return how many."""
        cursor = await self._connection.execute(
            "DELETE FROM decision WHERE create_time < %(before)s", {"before": before}
        )
        return cursor.rowcount
