"""The service's tables: one method for each statement."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from services.chassis import outbox
from services.chassis.consumer import first_time
from services.chassis.database import Connection, Pool, subject_lock, subject_turn
from services.chassis.events import OutgoingEvent
from services.suggestion.domain import Act, State
from services.suggestion.rows import ActRow, RenditionRow, SuggestionRow

_SUGGESTION = (
    "id, subject, state, purpose, data_key_id, purpose_revision, sealed, create_time, update_time, delete_time"
)
_RENDITION = "suggestion_id, number, data_key_id, object, layout, content_type, width, height, size_bytes"


class Store:
    """The tables, on one connection; the caller owns the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def suggestions(self, subject: str) -> list[SuggestionRow]:
        """Return everything kept for a person, dismissed and expired ideas included."""
        query = f"SELECT {_SUGGESTION} FROM suggestion WHERE subject = %(subject)s"  # noqa: S608 - constants only
        async with self._connection.cursor(row_factory=class_row(SuggestionRow)) as cursor:
            return await (await cursor.execute(query, {"subject": subject})).fetchall()

    async def suggestion(self, subject: str, suggestion_id: UUID) -> SuggestionRow | None:
        """Return one of a person's ideas."""
        query = f"SELECT {_SUGGESTION} FROM suggestion WHERE subject = %(subject)s AND id = %(id)s"  # noqa: S608
        async with self._connection.cursor(row_factory=class_row(SuggestionRow)) as cursor:
            return await (await cursor.execute(query, {"subject": subject, "id": suggestion_id})).fetchone()

    async def renditions(self, suggestion_ids: Sequence[UUID]) -> list[RenditionRow]:
        """Return the pictures of ideas, in their order."""
        query = f"SELECT {_RENDITION} FROM rendition WHERE suggestion_id = ANY(%(ids)s) ORDER BY number"  # noqa: S608
        async with self._connection.cursor(row_factory=class_row(RenditionRow)) as cursor:
            return await (await cursor.execute(query, {"ids": list(suggestion_ids)})).fetchall()

    async def add_suggestion(self, row: SuggestionRow) -> bool:
        """Write an idea unless its key was destroyed meanwhile; return whether it was written.

        Call it under the subject's lock, as the purge does: a fence that rises at the same time comes before or after.
        """
        cursor = await self._connection.execute(
            """
            INSERT INTO suggestion
                (id, subject, state, purpose, data_key_id, purpose_revision, sealed, create_time, update_time,
                 delete_time)
            SELECT %(id)s, %(subject)s, %(state)s, %(purpose)s, %(data_key_id)s, %(purpose_revision)s, %(sealed)s,
                   %(create_time)s, %(update_time)s, %(delete_time)s
            WHERE NOT EXISTS (
                SELECT 1 FROM fence
                WHERE subject = %(subject)s AND purpose = %(purpose)s AND revision >= %(purpose_revision)s
            ) AND NOT EXISTS (SELECT 1 FROM tombstone WHERE data_key_id = %(data_key_id)s)
            """,
            vars(row),
        )
        return cursor.rowcount == 1

    async def add_rendition(self, row: RenditionRow) -> None:
        """Write a picture of an idea."""
        await self._connection.execute(
            """
            INSERT INTO rendition
                (suggestion_id, number, data_key_id, object, layout, content_type, width, height, size_bytes)
            VALUES (%(suggestion_id)s, %(number)s, %(data_key_id)s, %(object)s, %(layout)s, %(content_type)s, %(width)s,
                    %(height)s, %(size_bytes)s)
            """,
            vars(row),
        )

    async def set_state(self, suggestion_id: UUID, state: State, now: datetime) -> None:
        """Move an idea on."""
        await self._connection.execute(
            "UPDATE suggestion SET state = %(state)s, update_time = %(now)s WHERE id = %(id)s",
            {"id": suggestion_id, "state": state.value, "now": now},
        )

    async def expire(self, older_than: datetime, now: datetime) -> list[str]:
        """Expire ideas that nobody did anything about; return whose they are, once for each idea."""
        cursor = await self._connection.execute(
            """
            UPDATE suggestion SET state = 'EXPIRED', update_time = %(now)s
            WHERE state IN ('READY', 'SEEN') AND create_time < %(older_than)s
            RETURNING subject
            """,
            {"older_than": older_than, "now": now},
        )
        return [row[0] for row in await cursor.fetchall()]

    async def delete_suggestions(self, suggestion_ids: Sequence[UUID]) -> int:
        """Delete ideas with their pictures' rows; return how many ideas."""
        cursor = await self._connection.execute(
            "DELETE FROM suggestion WHERE id = ANY(%(ids)s)", {"ids": list(suggestion_ids)}
        )
        return cursor.rowcount

    async def sealed_under(self, data_key_ids: Sequence[str]) -> list[UUID]:
        """Return the ideas of which any part is sealed under one of the keys."""
        cursor = await self._connection.execute(
            """
            SELECT id FROM suggestion WHERE data_key_id = ANY(%(keys)s::uuid[])
            UNION
            SELECT suggestion_id FROM rendition WHERE data_key_id = ANY(%(keys)s::uuid[])
            """,
            {"keys": list(data_key_ids)},
        )
        return [row[0] for row in await cursor.fetchall()]

    async def made_under(self, subject: str, purposes: Sequence[str], revision: int) -> list[UUID]:
        """Return a person's ideas sealed for one of the purposes under a revision or an older one."""
        cursor = await self._connection.execute(
            """
            SELECT id FROM suggestion
            WHERE subject = %(subject)s AND purpose = ANY(%(purposes)s) AND purpose_revision <= %(revision)s
            """,
            {"subject": subject, "purposes": list(purposes), "revision": revision},
        )
        return [row[0] for row in await cursor.fetchall()]

    async def raise_fence(self, subject: str, purpose: str, revision: int) -> None:
        """Refuse results made under a revision or an older one from now on."""
        await self._connection.execute(
            """
            INSERT INTO fence (subject, purpose, revision) VALUES (%(subject)s, %(purpose)s, %(revision)s)
            ON CONFLICT (subject, purpose) DO UPDATE SET revision = greatest(fence.revision, excluded.revision)
            """,
            {"subject": subject, "purpose": purpose, "revision": revision},
        )

    async def bury_keys(self, data_key_ids: Sequence[str], now: datetime) -> None:
        """Refuse what is sealed under these keys from now on."""
        await self._connection.execute(
            """
            INSERT INTO tombstone (data_key_id, create_time) SELECT unnest(%(keys)s::uuid[]), %(now)s
            ON CONFLICT (data_key_id) DO NOTHING
            """,
            {"keys": list(data_key_ids), "now": now},
        )

    async def forget_tombstones(self, before: datetime) -> int:
        """Delete tombstones from before a time; return how many."""
        cursor = await self._connection.execute(
            "DELETE FROM tombstone WHERE create_time < %(before)s", {"before": before}
        )
        return cursor.rowcount

    async def act(self, subject: str, request_id: UUID) -> ActRow | None:
        """Return what a request did, if it was carried out."""
        query = "SELECT suggestion_id, act FROM act WHERE subject = %(subject)s AND request_id = %(request_id)s"
        async with self._connection.cursor(row_factory=class_row(ActRow)) as cursor:
            return await (await cursor.execute(query, {"subject": subject, "request_id": request_id})).fetchone()

    async def add_act(self, subject: str, request_id: UUID, suggestion_id: UUID, act: Act, now: datetime) -> None:
        """Remember a request."""
        await self._connection.execute(
            """
            INSERT INTO act (subject, request_id, suggestion_id, act, create_time)
            VALUES (%(subject)s, %(request_id)s, %(suggestion_id)s, %(act)s, %(now)s)
            ON CONFLICT (subject, request_id) DO NOTHING
            """,
            {
                "subject": subject,
                "request_id": request_id,
                "suggestion_id": suggestion_id,
                "act": act.value,
                "now": now,
            },
        )

    async def delete_acts(self, subject: str, until: datetime) -> int:
        """Forget a person's requests up to a time."""
        cursor = await self._connection.execute(
            "DELETE FROM act WHERE subject = %(subject)s AND create_time <= %(until)s",
            {"subject": subject, "until": until},
        )
        return cursor.rowcount

    async def forget_acts(self, before: datetime) -> int:
        """Forget requests that nobody repeats any more; return how many."""
        cursor = await self._connection.execute("DELETE FROM act WHERE create_time < %(before)s", {"before": before})
        return cursor.rowcount

    async def mark_due(self, subject: str, now: datetime) -> None:
        """Remember that a person's photos were understood, or that some have gone."""
        await self._connection.execute(
            """
            INSERT INTO due (subject, first_time, last_time) VALUES (%(subject)s, %(now)s, %(now)s)
            ON CONFLICT (subject) DO UPDATE SET last_time = excluded.last_time
            """,
            {"subject": subject, "now": now},
        )

    async def due(self, now: datetime, quiet: timedelta, patience: timedelta) -> list[str]:
        """Return the persons whose photos have stopped coming, or have been coming for too long."""
        cursor = await self._connection.execute(
            """
            SELECT subject FROM due
            WHERE last_time <= %(now)s - %(quiet)s OR first_time <= %(now)s - %(patience)s
            ORDER BY first_time LIMIT 100
            """,
            {"now": now, "quiet": quiet, "patience": patience},
        )
        return [row[0] for row in await cursor.fetchall()]

    async def done(self, subject: str, until: datetime) -> None:
        """Forget that a person is due, unless more was understood after a time."""
        await self._connection.execute(
            "DELETE FROM due WHERE subject = %(subject)s AND last_time <= %(until)s",
            {"subject": subject, "until": until},
        )

    async def delete_due(self, subject: str) -> int:
        """Forget that a person is due, whatever came since."""
        cursor = await self._connection.execute("DELETE FROM due WHERE subject = %(subject)s", {"subject": subject})
        return cursor.rowcount

    async def object_names(self) -> set[str]:
        """Return the names of all objects that rows name."""
        cursor = await self._connection.execute("SELECT object FROM rendition")
        return {row[0] for row in await cursor.fetchall()}

    async def notify(self, subject: str) -> None:
        """Tell whoever watches this person's ideas that they changed, once the transaction is committed."""
        await self._connection.execute("SELECT pg_notify('suggestion', %(subject)s)", {"subject": subject})

    async def first_time(self, consumer: str, event_id: str) -> bool:
        """Return whether an event has had no effect yet, and remember it."""
        return await first_time(self._connection, consumer, event_id)

    async def publish(self, event: OutgoingEvent) -> None:
        """Publish an event once the transaction is committed."""
        await outbox.append(self._connection, event)


class Database:
    """Transactions on the tables."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Store]:
        """Run the block in one transaction."""
        async with self._pool.connection() as connection:
            yield Store(connection)

    @asynccontextmanager
    async def locked(self, subject: str) -> AsyncIterator[Store]:
        """Run the block in one transaction, alone on this person's rows."""
        async with self._pool.connection() as connection, subject_lock(connection, subject):
            yield Store(connection)

    @asynccontextmanager
    async def turn(self, subject: str) -> AsyncIterator[None]:
        """Run the block as the only one that makes ideas for this person."""
        async with subject_turn(self._pool, subject):
            yield
