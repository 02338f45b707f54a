"""Statements about requests that were answered."""

from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Connection
from services.retention.domain.request import AnsweredRequest


class RequestTable:
    """Implements `Requests`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, subject: str, request_id: UUID) -> AnsweredRequest | None:
        """Return a request of a person."""
        async with self._connection.cursor(row_factory=class_row(AnsweredRequest)) as cursor:
            await cursor.execute(
                """
                SELECT request_id AS id, asked, answer FROM request
                WHERE subject = %(subject)s AND request_id = %(request_id)s
                """,
                {"subject": subject, "request_id": request_id},
            )
            return await cursor.fetchone()

    async def add(self, subject: str, request: AnsweredRequest, now: datetime) -> None:
        """Store a request."""
        await self._connection.execute(
            """
            INSERT INTO request (subject, request_id, asked, answer, answer_time)
            VALUES (%(subject)s, %(request_id)s, %(asked)s, %(answer)s, %(now)s)
            """,
            {
                "subject": subject,
                "request_id": request.id,
                "asked": request.asked,
                "answer": request.answer,
                "now": now,
            },
        )
