"""Items of loops that failed: set aside with their reason, and tried again after pauses that grow."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from psycopg.rows import class_row

from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool
from services.chassis.error_details import failure_reason
from services.chassis.metrics import LOOP_FAILURES, Measurements

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
_FORGOTTEN_AFTER = timedelta(days=1)
"""An item whose time came this long ago and that was not tried is there no more."""

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class Item:
    """What a loop works on.

    Attributes:
        id: An id, or a pseudonym; nothing else about a person.
        person: Pseudonym of the person it belongs to, with whom it goes; empty for none.
    """

    id: str
    person: str = ""


@dataclass(frozen=True)
class SetAsideItem:
    """An item that failed.

    Attributes:
        kind: Of item; the loop's own word.
        item: Its id.
        person: Whose it is; empty for none.
        reason: ErrorReason or name of the last error's type.
        attempts: How often it was tried.
        first_time: When it failed first.
        next_time: When it is tried again.
    """

    kind: str
    item: str
    person: str
    reason: str
    attempts: int
    first_time: datetime
    next_time: datetime


class SetAside(Protocol):
    """What is set aside; `PostgresSetAside` is one."""

    async def of_kind(self, kind: str, now: datetime) -> Mapping[str, datetime]:
        """Return the items of a kind, and when each is tried again; those that are there no more are forgotten."""

    async def put(self, kind: str, item: Item, reason: str, now: datetime) -> None:
        """Set an item aside, each time for longer."""

    async def clear(self, kind: str, item: str) -> None:
        """Forget an item that succeeded, or is there no more."""

    async def forget(self, person: str) -> None:
        """Forget what is set aside of a person, and the dead letters about them."""


class FailedItems:
    """Items of one kind that failed: set aside, counted and told."""

    def __init__(self, kind: str, set_aside: SetAside, clock: Clock, measurements: Measurements | None = None) -> None:
        self._kind = kind
        self._set_aside = set_aside
        self._clock = clock
        self._measurements = measurements or Measurements()

    async def known(self) -> Mapping[str, datetime]:
        """Return all that is set aside, and when each is tried again."""
        return await self._set_aside.of_kind(self._kind, self._clock.now())

    async def known_and_waiting(self) -> tuple[AbstractSet[str], AbstractSet[str]]:
        """Return the ids of all that is set aside, and of what is not to be tried yet."""
        now, known = self._clock.now(), await self.known()
        return known.keys(), {id_ for id_, next_time in known.items() if next_time > now}

    async def put(self, item: Item, error: Exception) -> None:
        """Set an item aside that failed."""
        reason = failure_reason(error)
        await self._set_aside.put(self._kind, item, reason, self._clock.now())
        self._measurements.measure(LOOP_FAILURES, 1, {"loop": self._kind, "outcome": "item"})
        _log.error("item_set_aside", kind=self._kind, item=item.id, reason=reason, exc_info=error)

    async def clear(self, id_: str) -> None:
        """Forget an item that succeeded."""
        await self._set_aside.clear(self._kind, id_)


class PostgresSetAside:
    """Implements `SetAside` with the table `set_aside` of a service's database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_kind(self, kind: str, now: datetime) -> Mapping[str, datetime]:
        """Return the items of a kind (`SetAside.of_kind`)."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT item, next_time FROM set_aside WHERE kind = %s", (kind,))
            found: dict[str, datetime] = dict(await cursor.fetchall())
            gone = [item for item, next_time in found.items() if next_time < now - _FORGOTTEN_AFTER]
            if gone:
                await connection.execute("DELETE FROM set_aside WHERE kind = %s AND item = ANY(%s)", (kind, gone))
        return {item: next_time for item, next_time in found.items() if item not in gone}

    async def put(self, kind: str, item: Item, reason: str, now: datetime) -> None:
        """Set an item aside (`SetAside.put`)."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                INSERT INTO set_aside AS known (kind, item, person, reason, attempts, first_time, next_time)
                VALUES (%(kind)s, %(item)s, %(person)s, %(reason)s, 1, %(now)s, %(now)s + %(first)s)
                ON CONFLICT (kind, item) DO UPDATE SET
                    reason = excluded.reason, attempts = known.attempts + 1,
                    next_time = %(now)s + least(%(first)s * 2 ^ least(known.attempts, 16), %(longest)s)
                """,
                {
                    "kind": kind,
                    "item": item.id,
                    "person": item.person,
                    "reason": reason,
                    "now": now,
                    "first": FIRST_PAUSE,
                    "longest": LONGEST_PAUSE,
                },
            )

    async def clear(self, kind: str, item: str) -> None:
        """Forget an item (`SetAside.clear`)."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM set_aside WHERE kind = %s AND item = %s", (kind, item))

    async def forget(self, person: str) -> None:
        """Forget what belongs to a person (`SetAside.forget`)."""
        async with self._pool.connection() as connection:
            await forget_person(connection, person)

    async def all(self) -> Sequence[SetAsideItem]:
        """Return what is set aside, the longest first."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(SetAsideItem)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT kind, item, person, reason, attempts, first_time, next_time
                FROM set_aside ORDER BY first_time, kind, item
                """
            )
            return await cursor.fetchall()


async def forget_person(connection: Connection, person: str) -> None:
    """Forget what is set aside of a person, and the dead letters about them, in the running transaction."""
    await connection.execute("DELETE FROM set_aside WHERE person = %s", (person,))
    await connection.execute("DELETE FROM dead_letter WHERE person = %s", (person,))
