"""Statements about deletions of accounts."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Connection
from services.retention.domain.account import AccountDeletion

_COLUMNS = "id, subject, request_time, start_time, cancel_time, keys_destroy_time, complete_time"
_SCHEDULED = "cancel_time IS NULL AND keys_destroy_time IS NULL"


class AccountDeletionTable:
    """Implements `AccountDeletions`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, deletion: AccountDeletion) -> None:
        """Store a deletion."""
        await self._connection.execute(
            """
            INSERT INTO account_deletion (id, subject, request_time, start_time)
            VALUES (%(id)s, %(subject)s, %(request_time)s, %(start_time)s)
            """,
            {
                "id": deletion.id,
                "subject": deletion.subject,
                "request_time": deletion.request_time,
                "start_time": deletion.start_time,
            },
        )

    async def get(self, subject: str, deletion: UUID) -> AccountDeletion | None:
        """Return a deletion of a person."""
        found = await self._fetch(
            f"SELECT {_COLUMNS} FROM account_deletion WHERE subject = %(subject)s AND id = %(id)s",  # noqa: S608
            {"subject": subject, "id": deletion},
        )
        return found[0] if found else None

    async def scheduled(self, subject: str) -> AccountDeletion | None:
        """Return the deletion of a person that has not begun and is not cancelled."""
        found = await self._fetch(
            f"SELECT {_COLUMNS} FROM account_deletion WHERE subject = %(subject)s AND {_SCHEDULED}",  # noqa: S608
            {"subject": subject},
        )
        return found[0] if found else None

    async def due(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[AccountDeletion]:
        """Return scheduled deletions, but these, whose time has come, the oldest first."""
        return await self._fetch(
            f"""
            SELECT {_COLUMNS} FROM account_deletion
            WHERE start_time <= %(now)s AND {_SCHEDULED} AND id <> ALL(%(without)s::uuid[])
            ORDER BY start_time LIMIT %(limit)s
            """,  # noqa: S608
            {"now": now, "limit": limit, "without": list(without)},
        )

    async def cancel(self, deletion: UUID, now: datetime) -> None:
        """Record that a deletion was cancelled."""
        await self._connection.execute(
            "UPDATE account_deletion SET cancel_time = %(now)s WHERE id = %(id)s", {"id": deletion, "now": now}
        )

    async def begin(self, deletion: UUID, now: datetime) -> None:
        """Record that a deletion has begun: the keys are destroyed."""
        await self._connection.execute(
            "UPDATE account_deletion SET keys_destroy_time = %(now)s WHERE id = %(id)s", {"id": deletion, "now": now}
        )

    async def finish(self, deletion: UUID, now: datetime) -> None:
        """Record that a deletion is complete if no order of it is outstanding, and delete what it takes along.

        A transaction's part: three statements, the first of which lets one transaction at a time decide.
        """
        await self._connection.execute("SELECT id FROM account_deletion WHERE id = %(id)s FOR UPDATE", {"id": deletion})
        cursor = await self._connection.execute(
            """
            UPDATE account_deletion SET complete_time = %(now)s
            WHERE id = %(id)s AND complete_time IS NULL AND NOT EXISTS (
                SELECT FROM purge_order WHERE purge_order.account_deletion = %(id)s AND complete_time IS NULL
            )
            """,
            {"id": deletion, "now": now},
        )
        if cursor.rowcount:
            await self._delete_records(deletion)

    async def _delete_records(self, deletion: UUID) -> None:
        for table, column in (("erasure", "request_time"), ("request", "answer_time")):
            await self._connection.execute(
                f"""
                DELETE FROM {table} USING account_deletion
                WHERE account_deletion.id = %(id)s AND {table}.subject = account_deletion.subject
                    AND {table}.{column} <= account_deletion.keys_destroy_time
                """,  # noqa: S608
                {"id": deletion},
            )

    async def _fetch(self, statement: str, parameters: dict[str, object]) -> list[AccountDeletion]:
        async with self._connection.cursor(row_factory=class_row(AccountDeletion)) as cursor:
            await cursor.execute(statement.encode(), parameters)
            return await cursor.fetchall()
