"""Items of a loop that failed: set aside with their reason, tried again with growing pauses, while the others go on."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias, TypeVar

import structlog
from psycopg.rows import class_row

from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool
from services.chassis.error_details import failure_reason, is_outage
from services.chassis.metrics import LOOP_FAILURES, Measurements

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
_FORGOTTEN_AFTER = timedelta(days=1)
"""An item whose time came this long ago and that was not tried is there no more."""
_OUTAGES_IN_A_ROW = 3
"""Items that fail one after the other as in an outage, until it is taken for one."""

_log = structlog.stdlib.get_logger()

T = TypeVar("T")
Fetch: TypeAlias = Callable[[AbstractSet[str]], Awaitable[Sequence[T]]]
"""Returns what is to be done now, the oldest first, without the items of these ids."""


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


class Turns:
    """Gives each item of a loop its turn, whatever becomes of the others.

    An item that fails is set aside. One that fails as in an outage may be blameless: it is when the next ones fail
    too. So it is only passed over, and set aside when it fails that way twice while another one succeeded.
    """

    def __init__(self, kind: str, set_aside: SetAside, clock: Clock, measurements: Measurements | None = None) -> None:
        """Describe the loop.

        Args:
            kind: Name of what it works on, such as `purge_order`; one of a closed set.
            set_aside: Where failed items are kept.
            clock: Says whose time has come again.
            measurements: Replaces the process's own.
        """
        self._kind = kind
        self._set_aside = set_aside
        self._clock = clock
        self._measurements = measurements or Measurements()
        self._passed_over: set[str] = set()
        self._suspects: set[str] = set()
        self._known: frozenset[str] = frozenset()

    async def take(self, fetch: Fetch[T], item: Callable[[T], Item], work: Callable[[T], Awaitable[object]]) -> int:
        """Do the work once for each item that is fetched, batch after batch, and return how many succeeded.

        Args:
            fetch: Returns a batch of what is due; what is done must be due no more.
            item: Names one.
            work: Does it.

        Raises:
            Exception: what the last ones failed of, if that looks like an outage: the loop waits, nothing is lost.
        """
        done, outages, tried = 0, list[Exception](), set[str]()
        while batch := await self._fetched(fetch, item, tried):
            for each in batch:
                tried.add(item(each).id)
                try:
                    await work(each)
                except Exception as error:  # noqa: BLE001  # the wall: one item never stops the others
                    outages = [*outages, error] if await self._failed(item(each), error) else []
                else:
                    await self._succeeded(item(each).id)
                    done, outages = done + 1, []
                if len(outages) == _OUTAGES_IN_A_ROW:
                    raise outages[-1]
        if outages:
            raise outages[-1]
        return done

    async def known(self) -> AbstractSet[str]:
        """Return the ids of all that is set aside, whether or not its time has come again."""
        return (await self._set_aside.of_kind(self._kind, self._clock.now())).keys()

    async def _fetched(self, fetch: Fetch[T], item: Callable[[T], Item], tried: AbstractSet[str]) -> Sequence[T]:
        """Return what is due and was not tried yet; those passed over come when nothing else does."""
        now = self._clock.now()
        known = await self._set_aside.of_kind(self._kind, now)
        self._known = frozenset(known)
        waiting = {id_ for id_, next_time in known.items() if next_time > now}
        found = [each for each in await fetch(waiting | self._passed_over) if item(each).id not in tried]
        if found or tried or not self._passed_over:
            return found
        self._passed_over.clear()
        return await fetch(waiting)

    async def _failed(self, item: Item, error: Exception) -> bool:
        """Set an item aside unless an outage may be to blame; tell whether it may."""
        if is_outage(error) and item.id not in self._suspects:
            self._passed_over.add(item.id)
            _log.warning("item_waits", kind=self._kind, item=item.id, reason=failure_reason(error))
            return True
        await self._set_aside.put(self._kind, item, failure_reason(error), self._clock.now())
        self._measurements.measure(LOOP_FAILURES, 1, {"loop": self._kind, "outcome": "item"})
        _log.error("item_set_aside", kind=self._kind, item=item.id, reason=failure_reason(error), exc_info=error)
        return False

    async def _succeeded(self, id_: str) -> None:
        self._suspects |= self._passed_over
        self._suspects.discard(id_)
        self._passed_over.clear()
        if id_ in self._known:
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
