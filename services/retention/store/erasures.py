"""Statements about erasures and persons that were erased."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Connection
from services.retention.domain.erasure import Erasure

_COLUMNS = "number, id, subject, media, request_time, keys_destroy_time, purge_time"


@dataclass(frozen=True)
class _Row:
    """A row of `erasure`."""

    number: int
    id: UUID
    subject: str
    media: UUID | None
    request_time: datetime
    keys_destroy_time: datetime
    purge_time: datetime | None

    def erasure(self) -> Erasure:
        return Erasure(
            id=self.id,
            subject=self.subject,
            media=self.media,
            request_time=self.request_time,
            keys_destroy_time=self.keys_destroy_time,
            purge_time=self.purge_time,
        )


class ErasureTable:
    """Implements `Erasures`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, erasure: Erasure) -> None:
        """Store an erasure."""
        await self._connection.execute(
            """
            INSERT INTO erasure (id, subject, media, request_time, keys_destroy_time)
            VALUES (%(id)s, %(subject)s, %(media)s, %(request_time)s, %(keys_destroy_time)s)
            """,
            {
                "id": erasure.id,
                "subject": erasure.subject,
                "media": erasure.media,
                "request_time": erasure.request_time,
                "keys_destroy_time": erasure.keys_destroy_time,
            },
        )

    async def of_media(self, subject: str, media: UUID) -> Erasure | None:
        """Return the erasure of a media."""
        return await self._one("subject = %(subject)s AND media = %(media)s", {"subject": subject, "media": media})

    async def get(self, subject: str, erasure: UUID) -> Erasure | None:
        """Return an erasure of a person."""
        return await self._one("subject = %(subject)s AND id = %(id)s", {"subject": subject, "id": erasure})

    async def page(self, subject: str, before: int, limit: int) -> list[tuple[int, Erasure]]:
        """Return erasures of a person by number, the newest first."""
        rows = await self._fetch(
            f"""
            SELECT {_COLUMNS} FROM erasure WHERE subject = %(subject)s AND number < %(before)s
            ORDER BY number DESC LIMIT %(limit)s
            """,  # noqa: S608
            {"subject": subject, "before": before, "limit": limit},
        )
        return [(row.number, row.erasure()) for row in rows]

    async def finish(self, erasure: UUID, now: datetime) -> None:
        """Record that an erasure is purged if no order of it is outstanding; one at a time per erasure."""
        await self._connection.execute("SELECT id FROM erasure WHERE id = %(id)s FOR UPDATE", {"id": erasure})
        await self._connection.execute(
            """
            UPDATE erasure SET purge_time = %(now)s
            WHERE id = %(id)s AND purge_time IS NULL AND NOT EXISTS (
                SELECT FROM purge_order WHERE purge_order.erasure = %(id)s AND complete_time IS NULL
            )
            """,
            {"id": erasure, "now": now},
        )

    async def subject_erased_at(self, subject: str) -> datetime | None:
        """Return when everything of a person was erased last."""
        cursor = await self._connection.execute(
            """
            SELECT greatest(
                (SELECT erase_time FROM erased_subject WHERE subject = %(subject)s),
                (SELECT max(erase_time) FROM erased_person
                 WHERE tag = left(encode(sha256(convert_to(salt || %(subject)s, 'UTF8')), 'hex'), 32))
            )
            """,
            {"subject": subject},
        )
        row = await cursor.fetchone()
        return None if row is None else row[0]

    async def mark_subject(self, subject: str, now: datetime) -> None:
        """Remembers that everything of a person was erased."""
        await self._connection.execute(
            """
            INSERT INTO erased_subject (subject, erase_time) VALUES (%(subject)s, %(now)s)
            ON CONFLICT (subject) DO UPDATE SET erase_time = greatest(erased_subject.erase_time, excluded.erase_time)
            """,
            {"subject": subject, "now": now},
        )

    async def _one(self, condition: str, parameters: dict[str, object]) -> Erasure | None:
        statement = f"SELECT {_COLUMNS} FROM erasure WHERE {condition} ORDER BY number DESC LIMIT 1"  # noqa: S608
        rows = await self._fetch(statement, parameters)
        return rows[0].erasure() if rows else None

    async def _fetch(self, statement: str, parameters: dict[str, object]) -> list[_Row]:
        async with self._connection.cursor(row_factory=class_row(_Row)) as cursor:
            await cursor.execute(statement.encode(), parameters)
            return await cursor.fetchall()
