"""Statements on `suggestion` and `rendition`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Connection
from services.suggestion.domain.suggestions import Standing
from services.suggestion.ports import RenditionRow, SuggestionRow

_SUGGESTION = (
    "id, subject, state, state_before_dismissal, purpose, data_key_id, purpose_revision, sealed, create_time,"
    " update_time, offer_time, delete_time"
)
_RENDITION = "suggestion_id, number, data_key_id, object, layout, content_type, width, height, size_bytes"


class SuggestionTables:
    """One statement in each method, on the connection of the running transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_person(self, subject: str) -> list[SuggestionRow]:
        """Return everything kept for a person, dismissed and expired suggestions included."""
        query = f"SELECT {_SUGGESTION} FROM suggestion WHERE subject = %(subject)s"  # noqa: S608 - constants only
        async with self._connection.cursor(row_factory=class_row(SuggestionRow)) as cursor:
            return await (await cursor.execute(query, {"subject": subject})).fetchall()

    async def find(self, subject: str, suggestion_id: UUID) -> SuggestionRow | None:
        """Return one of a person's suggestions."""
        query = f"SELECT {_SUGGESTION} FROM suggestion WHERE subject = %(subject)s AND id = %(id)s"  # noqa: S608
        async with self._connection.cursor(row_factory=class_row(SuggestionRow)) as cursor:
            return await (await cursor.execute(query, {"subject": subject, "id": suggestion_id})).fetchone()

    async def renditions(self, suggestion_ids: Sequence[UUID]) -> list[RenditionRow]:
        """Return the renditions of suggestions, in their order."""
        query = f"SELECT {_RENDITION} FROM rendition WHERE suggestion_id = ANY(%(ids)s) ORDER BY number"  # noqa: S608
        async with self._connection.cursor(row_factory=class_row(RenditionRow)) as cursor:
            return await (await cursor.execute(query, {"ids": list(suggestion_ids)})).fetchall()

    async def add(self, row: SuggestionRow) -> bool:
        """Write a suggestion unless its key was destroyed meanwhile; return whether it was written.

        Call it under the subject's lock, as the purge does: a fence that rises at the same time comes before or after.
        """
        cursor = await self._connection.execute(
            """
            INSERT INTO suggestion
                (id, subject, state, state_before_dismissal, purpose, data_key_id, purpose_revision, sealed,
                 create_time, update_time, offer_time, delete_time)
            SELECT %(id)s, %(subject)s, %(state)s, %(state_before_dismissal)s, %(purpose)s, %(data_key_id)s,
                   %(purpose_revision)s, %(sealed)s, %(create_time)s, %(update_time)s, %(offer_time)s, %(delete_time)s
            WHERE NOT EXISTS (
                SELECT 1 FROM fence
                WHERE subject = %(subject)s AND purpose = %(purpose)s AND revision >= %(purpose_revision)s
            ) AND NOT EXISTS (SELECT 1 FROM tombstone WHERE data_key_id = %(data_key_id)s)
            """,
            vars(row),
        )
        return cursor.rowcount == 1

    async def add_rendition(self, row: RenditionRow) -> None:
        """Write a rendition of a suggestion."""
        await self._connection.execute(
            """
            INSERT INTO rendition
                (suggestion_id, number, data_key_id, object, layout, content_type, width, height, size_bytes)
            VALUES (%(suggestion_id)s, %(number)s, %(data_key_id)s, %(object)s, %(layout)s, %(content_type)s, %(width)s,
                    %(height)s, %(size_bytes)s)
            """,
            vars(row),
        )

    async def move(self, suggestion_id: UUID, standing: Standing, now: datetime) -> None:
        """Change where a suggestion stands."""
        await self._connection.execute(
            """
            UPDATE suggestion SET state = %(state)s, state_before_dismissal = %(before)s, update_time = %(now)s
            WHERE id = %(id)s
            """,
            {
                "id": suggestion_id,
                "state": standing.state.value,
                "before": standing.before_dismissal and standing.before_dismissal.value,
                "now": now,
            },
        )

    async def offer_again(self, suggestion_id: UUID, now: datetime) -> None:
        """Count the time for which a suggestion is offered from now on."""
        await self._connection.execute(
            "UPDATE suggestion SET offer_time = %(now)s WHERE id = %(id)s", {"id": suggestion_id, "now": now}
        )

    async def expire(self, offered_before: datetime, now: datetime) -> list[tuple[str, UUID]]:
        """Expire suggestions without a decision; return whose they are, and which."""
        cursor = await self._connection.execute(
            """
            UPDATE suggestion SET state = 'EXPIRED', update_time = %(now)s
            WHERE state IN ('READY', 'SEEN') AND offer_time < %(offered_before)s
            RETURNING subject, id
            """,
            {"offered_before": offered_before, "now": now},
        )
        return [(subject, id_) for subject, id_ in await cursor.fetchall()]

    async def delete(self, suggestion_ids: Sequence[UUID]) -> int:
        """Delete suggestions with their renditions' rows; return how many suggestions."""
        cursor = await self._connection.execute(
            "DELETE FROM suggestion WHERE id = ANY(%(ids)s)", {"ids": list(suggestion_ids)}
        )
        return cursor.rowcount

    async def unknown_objects(self, names: Sequence[str]) -> set[str]:
        """Return those of the objects that no row names."""
        cursor = await self._connection.execute(
            """
            SELECT name FROM unnest(%(names)s::text[]) AS name
            WHERE NOT EXISTS (SELECT FROM rendition WHERE object = name)
            """,
            {"names": list(names)},
        )
        return {row[0] for row in await cursor.fetchall()}
