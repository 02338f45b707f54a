"""Statements on `person`, `request` and `pending_change`."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from services.chassis.database import Connection


@dataclass(frozen=True)
class PersonRow:
    """A row of `person`, but for its subject."""

    revision: int
    wrapped_key: bytes


@dataclass(frozen=True)
class RequestRow:
    """A row of `request`, but for its subject."""

    request_id: UUID
    sha256: str
    revision: int
    answer_time: datetime


class PersonRows:
    """One method per statement, on the connection of the running transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def person(self, subject: str) -> PersonRow | None:
        """Return the row of a person."""
        async with self._connection.cursor(row_factory=class_row(PersonRow)) as cursor:
            await cursor.execute(
                "SELECT revision, wrapped_key FROM person WHERE subject = %(subject)s", {"subject": subject}
            )
            return await cursor.fetchone()

    async def wrapped_key(self, subject: str) -> bytes:
        """Return the wrapped key of a person who is there."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute("SELECT wrapped_key FROM person WHERE subject = %(subject)s", {"subject": subject})
            wrapped = await cursor.fetchone()
        if wrapped is None:
            raise LookupError("the person is not written down")
        return bytes(wrapped)

    async def any_person(self) -> tuple[str, bytes] | None:
        """Return the pseudonym and the wrapped key of a person who is there."""
        cursor = await self._connection.execute("SELECT subject, wrapped_key FROM person LIMIT 1")
        row = await cursor.fetchone()
        return None if row is None else (str(row[0]), bytes(row[1]))

    async def add_person(self, subject: str, *, revision: int, wrapped_key: bytes) -> None:
        """Add a person, unless they are there."""
        await self._connection.execute(
            """
            INSERT INTO person (subject, revision, wrapped_key)
            VALUES (%(subject)s, %(revision)s, %(wrapped_key)s)
            ON CONFLICT (subject) DO NOTHING
            """,
            {"subject": subject, "revision": revision, "wrapped_key": wrapped_key},
        )

    async def raise_revision(self, subject: str, revision: int) -> None:
        """Use up revisions; the number never falls."""
        await self._connection.execute(
            "UPDATE person SET revision = greatest(revision, %(revision)s) WHERE subject = %(subject)s",
            {"subject": subject, "revision": revision},
        )

    async def delete_person(self, subject: str) -> int:
        """Delete a person whose other rows are gone, and with them the key of what backups still hold."""
        cursor = await self._connection.execute("DELETE FROM person WHERE subject = %(subject)s", {"subject": subject})
        return cursor.rowcount

    async def request(self, subject: str, request_id: UUID) -> RequestRow | None:
        """Return the row of a call that was answered."""
        async with self._connection.cursor(row_factory=class_row(RequestRow)) as cursor:
            await cursor.execute(
                """
                SELECT request_id, sha256, revision, answer_time FROM request
                WHERE subject = %(subject)s AND request_id = %(request_id)s
                """,
                {"subject": subject, "request_id": request_id},
            )
            return await cursor.fetchone()

    async def requests_after(self, subject: str, time: datetime) -> list[RequestRow]:
        """Return the rows of calls that were answered after a time."""
        async with self._connection.cursor(row_factory=class_row(RequestRow)) as cursor:
            await cursor.execute(
                """
                SELECT request_id, sha256, revision, answer_time FROM request
                WHERE subject = %(subject)s AND answer_time > %(time)s
                """,
                {"subject": subject, "time": time},
            )
            return await cursor.fetchall()

    async def answer_times(self, subject: str, since: datetime, limit: int) -> list[datetime]:
        """Return when calls were answered after a time, newest first."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                """
                SELECT answer_time FROM request WHERE subject = %(subject)s AND answer_time > %(since)s
                ORDER BY answer_time DESC LIMIT %(limit)s
                """,
                {"subject": subject, "since": since, "limit": limit},
            )
            return list(await cursor.fetchall())

    async def add_request(self, subject: str, row: RequestRow) -> None:
        """Add a call that is answered."""
        await self._connection.execute(
            """
            INSERT INTO request (subject, request_id, sha256, revision, answer_time)
            VALUES (%(subject)s, %(request_id)s, %(sha256)s, %(revision)s, %(answer_time)s)
            """,
            {
                "subject": subject,
                "request_id": row.request_id,
                "sha256": row.sha256,
                "revision": row.revision,
                "answer_time": row.answer_time,
            },
        )

    async def delete_requests(self, subject: str) -> int:
        """Delete all answered calls of a person."""
        cursor = await self._connection.execute("DELETE FROM request WHERE subject = %(subject)s", {"subject": subject})
        return cursor.rowcount

    async def pending(self, subject: str) -> bytes | None:
        """Return the sealed pending change of a person."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute("SELECT sealed FROM pending_change WHERE subject = %(subject)s", {"subject": subject})
            row = await cursor.fetchone()
        return None if row is None else bytes(row)

    async def put_pending(self, subject: str, *, begin_time: datetime, sealed: bytes) -> None:
        """Write the pending change of a person down, in place of one that it takes in."""
        await self._connection.execute(
            """
            INSERT INTO pending_change (subject, begin_time, sealed)
            VALUES (%(subject)s, %(begin_time)s, %(sealed)s)
            ON CONFLICT (subject) DO UPDATE SET begin_time = excluded.begin_time, sealed = excluded.sealed
            """,
            {"subject": subject, "begin_time": begin_time, "sealed": sealed},
        )

    async def delete_pending(self, subject: str) -> int:
        """Delete the pending change of a person."""
        cursor = await self._connection.execute(
            "DELETE FROM pending_change WHERE subject = %(subject)s", {"subject": subject}
        )
        return cursor.rowcount

    async def unfinished(self, begun_before: datetime, *, limit: int, without: AbstractSet[str]) -> list[str]:
        """Return persons, but these, whose pending change was begun before a time, the oldest first."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                """
                SELECT subject FROM pending_change
                WHERE begin_time < %(begun_before)s AND subject <> ALL(%(without)s)
                ORDER BY begin_time LIMIT %(limit)s
                """,
                {"begun_before": begun_before, "limit": limit, "without": list(without)},
            )
            return [str(subject) for subject in await cursor.fetchall()]
