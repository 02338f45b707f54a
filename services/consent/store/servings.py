"""Statements on `notice_serving`."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from services.chassis.database import Connection
from services.consent.store.records import ServingRow


class ServingRows:
    """One method per statement, on the connection of the running transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, subject: str, row: ServingRow) -> None:
        """Add a record."""
        await self._connection.execute(
            """
            INSERT INTO notice_serving (id, subject, notice, serve_time, request_id, request_sha256, sealed)
            VALUES (
                %(id)s, %(subject)s, %(notice)s, %(serve_time)s, %(request_id)s, %(request_sha256)s, %(sealed)s
            )
            """,
            {"subject": subject, **asdict(row)},
        )

    async def get(self, subject: str, serving_id: UUID) -> ServingRow | None:
        """Return a record of this person."""
        async with self._connection.cursor(row_factory=class_row(ServingRow)) as cursor:
            await cursor.execute(
                """
                SELECT id, notice, serve_time, request_id, request_sha256, sealed FROM notice_serving
                WHERE subject = %(subject)s AND id = %(id)s
                """,
                {"subject": subject, "id": serving_id},
            )
            return await cursor.fetchone()

    async def of_request(self, subject: str, request_id: UUID) -> ServingRow | None:
        """Return the record that a call made."""
        async with self._connection.cursor(row_factory=class_row(ServingRow)) as cursor:
            await cursor.execute(
                """
                SELECT id, notice, serve_time, request_id, request_sha256, sealed FROM notice_serving
                WHERE subject = %(subject)s AND request_id = %(request_id)s
                """,
                {"subject": subject, "request_id": request_id},
            )
            return await cursor.fetchone()

    async def times(self, subject: str, since: datetime, limit: int) -> list[datetime]:
        """Return when records were made after a time, newest first."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                """
                SELECT serve_time FROM notice_serving WHERE subject = %(subject)s AND serve_time > %(since)s
                ORDER BY serve_time DESC LIMIT %(limit)s
                """,
                {"subject": subject, "since": since, "limit": limit},
            )
            return list(await cursor.fetchall())

    async def after(self, subject: str, time: datetime) -> list[ServingRow]:
        """Return the records made after a time."""
        async with self._connection.cursor(row_factory=class_row(ServingRow)) as cursor:
            await cursor.execute(
                """
                SELECT id, notice, serve_time, request_id, request_sha256, sealed FROM notice_serving
                WHERE subject = %(subject)s AND serve_time > %(time)s
                """,
                {"subject": subject, "time": time},
            )
            return await cursor.fetchall()

    async def delete(self, subject: str) -> int:
        """Delete all records of a person."""
        cursor = await self._connection.execute(
            "DELETE FROM notice_serving WHERE subject = %(subject)s", {"subject": subject}
        )
        return cursor.rowcount
