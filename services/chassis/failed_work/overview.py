"""Failed work of a service, as an operator sees it: dead letters, and what is set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from services.chassis.database import Connection

_LETTERS = """
    SELECT 'dead_letter' AS what, consumer AS kind, event_id AS item, reason, deliveries AS attempts,
        create_time AS first_time, retry_time AS next_time, person, type AS event_type, subject AS event_subject
    FROM dead_letter
"""
_SET_ASIDE = """
    SELECT 'set_aside' AS what, kind, item, reason, attempts, first_time, next_time, person,
        NULL AS event_type, NULL AS event_subject
    FROM set_aside
"""


@dataclass(frozen=True)
class FailedWork:
    """An event that was given up, or an item of a loop that is tried again later.

    Attributes:
        what: `dead_letter` or `set_aside`.
        kind: Name of the consumer, or the loop's word for its items.
        item: Id of the event or of the item.
        reason: ErrorReason or name of the last error's type.
        attempts: How often it was tried.
        first_time: Since when it is here.
        next_time: When it is tried again; None for a dead letter that is not asked for.
        person: Pseudonym of the person it belongs to; empty for none.
        event_type: Of a dead letter.
        event_subject: What a dead letter is about, such as `media/{uuid}`.
    """

    what: str
    kind: str
    item: str
    reason: str
    attempts: int
    first_time: datetime
    next_time: datetime | None
    person: str
    event_type: str | None
    event_subject: str | None


class FailedWorkTable:
    """The tables `dead_letter` and `set_aside`, on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def all(self) -> Sequence[FailedWork]:
        """Return all of it, the oldest first."""
        return await self._fetch(f"{_LETTERS} UNION ALL {_SET_ASIDE} ORDER BY first_time, kind, item")

    async def find(self, kind: str, item: str) -> FailedWork | None:
        """Return one by its name."""
        found = await self._fetch(
            f"{_LETTERS} WHERE consumer = %(kind)s AND event_id = %(item)s"
            f" UNION ALL {_SET_ASIDE} WHERE kind = %(kind)s AND item = %(item)s",
            {"kind": kind, "item": item},
        )
        return found[0] if found else None

    async def retry(self, kind: str, item: str) -> None:
        """Have one tried again at the next look."""
        await self._change(
            "UPDATE dead_letter SET retry_time = now() WHERE consumer = %(kind)s AND event_id = %(item)s",
            "UPDATE set_aside SET next_time = now() WHERE kind = %(kind)s AND item = %(item)s",
            {"kind": kind, "item": item},
        )

    async def delete(self, kind: str, item: str) -> None:
        """Delete one: an event is handled no more, an item is tried as if it had not failed."""
        await self._change(
            "DELETE FROM dead_letter WHERE consumer = %(kind)s AND event_id = %(item)s",
            "DELETE FROM set_aside WHERE kind = %(kind)s AND item = %(item)s",
            {"kind": kind, "item": item},
        )

    async def _fetch(self, query: str, parameters: dict[str, str] | None = None) -> Sequence[FailedWork]:
        async with self._connection.cursor(row_factory=class_row(FailedWork)) as cursor:
            await cursor.execute(query.encode(), parameters)
            return await cursor.fetchall()

    async def _change(self, letters: str, set_aside: str, parameters: dict[str, str]) -> None:
        for statement in (letters, set_aside):
            await self._connection.execute(statement.encode(), parameters)
