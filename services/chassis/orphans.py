"""Orphans: objects of a bucket that no row names, found page by page, remembered, and removed after a time of grace."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

import structlog

from services.chassis.clock import Clock
from services.chassis.database import Pool
from services.chassis.metrics import BACKSTOP_HITS, Measurements
from services.chassis.object_store import ObjectStore, StoredObject

PAGE = 1000
"""Objects looked at together."""
ROUND_PAUSE = timedelta(minutes=10)
"""Time from the end of one look at the whole bucket to the beginning of the next."""
_LEASE = timedelta(minutes=5)
"""A page whose reader died is read by another one after this."""
_PACE_SECONDS = 0.2
_AHEAD = timedelta(days=1)
"""How long before the lifecycle rule strikes an object counts as overdue."""

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class Page:
    """Objects of a bucket, in the order of their names.

    Attributes:
        after: The name before the first one; empty at the beginning.
        names: At most `PAGE` of them.
    """

    after: str
    names: Sequence[str]

    @property
    def ends(self) -> bool:
        """Whether no object comes after it."""
        return len(self.names) < PAGE

    @property
    def last(self) -> str | None:
        """The last name; None where the bucket ends."""
        return None if self.ends else self.names[-1]


Unknown: TypeAlias = Callable[[Sequence[str]], Awaitable[AbstractSet[str]]]
"""Returns those of the objects that no row names."""


class Walks(Protocol):
    """How far the walk through each bucket has come, and which orphans it met; `PostgresWalks` is one."""

    async def begin_page(self, bucket: str, now: datetime, until: datetime) -> str | None:
        """Return the name after which to go on, and keep others away until a time; None when it is not time."""

    async def note(self, bucket: str, page: Page, unknown: AbstractSet[str], now: datetime) -> Mapping[str, datetime]:
        """Remember the orphans of a page, forget those that are none any more, and return when each was seen first."""

    async def forget(self, bucket: str, names: Collection[str]) -> None:
        """Forget orphans that were removed."""

    async def end_page(self, bucket: str, cursor: str, next_time: datetime) -> None:
        """Say after which name the next page begins, and when."""


@dataclass(frozen=True)
class OrphanSweep:
    """Removal of objects that no row names.

    An object is put before the row that names it is written, so one look proves nothing: it is remembered when it was
    seen first, whatever becomes of this process, and removed when that is long ago. One process at a time walks.

    Attributes:
        objects: The object store.
        bucket: Whose objects.
        unknown: Tells objects that rows name from others.
        walks: Remembers.
        clock: Says what is long ago.
        grace: How long an object that no row names may lie; longer than any put and its commit take.
        backstop: The age at which the bucket's lifecycle rule deletes an object; none should ever come near it.
        measurements: Counts those that do.
    """

    objects: ObjectStore
    bucket: str
    unknown: Unknown
    walks: Walks
    clock: Clock
    grace: timedelta
    backstop: timedelta
    measurements: Measurements = field(default_factory=Measurements)

    async def run(self) -> int:
        """Go through the bucket if it is time; return how many orphans were removed."""
        removed = 0
        while (after := await self._begin_page()) is not None:
            count, ended = await self._page(after)
            removed += count
            if ended:
                break
            await self.clock.sleep(_PACE_SECONDS)
        if removed:
            _log.warning("orphans_removed", bucket=self.bucket, count=removed)
        return removed

    async def _begin_page(self) -> str | None:
        now = self.clock.now()
        return await self.walks.begin_page(self.bucket, now, now + _LEASE)

    async def _page(self, after: str) -> tuple[int, bool]:
        """Look at the objects after one; return how many were removed, and whether the bucket ends there."""
        objects, now = await self.objects.page(self.bucket, after, PAGE), self.clock.now()
        self._count_overdue(objects, now)
        page = Page(after, [each.name for each in objects])
        seen = await self.walks.note(self.bucket, page, await self.unknown(page.names), now)
        orphans = [name for name, first_time in seen.items() if now - first_time >= self.grace]
        await self.objects.delete(self.bucket, orphans)
        await self.walks.forget(self.bucket, orphans)
        await self.walks.end_page(self.bucket, page.last or "", now + ROUND_PAUSE if page.ends else now)
        return len(orphans), page.ends

    def _count_overdue(self, objects: Sequence[StoredObject], now: datetime) -> None:
        """Count what was not deleted in time, while it is there to be looked at."""
        overdue = sum(now - each.put_time >= self.backstop - _AHEAD for each in objects)
        if overdue:
            self.measurements.measure(BACKSTOP_HITS, overdue, {"bucket": self.bucket})
            _log.error("backstop_near", bucket=self.bucket, count=overdue)


class PostgresWalks:
    """Implements `Walks` with the tables `bucket_walk` and `orphan` of a service's database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin_page(self, bucket: str, now: datetime, until: datetime) -> str | None:
        """Return the name after which to go on (`Walks.begin_page`)."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                INSERT INTO bucket_walk AS walk (bucket, after, next_time) VALUES (%(bucket)s, '', %(until)s)
                ON CONFLICT (bucket) DO UPDATE SET next_time = %(until)s WHERE walk.next_time <= %(now)s
                RETURNING after
                """,
                {"bucket": bucket, "now": now, "until": until},
            )
            row = await cursor.fetchone()
        return None if row is None else str(row[0])

    async def note(self, bucket: str, page: Page, unknown: AbstractSet[str], now: datetime) -> Mapping[str, datetime]:
        """Remember the orphans of a page (`Walks.note`)."""
        parameters = {
            "bucket": bucket,
            "after": page.after,
            "last": page.last,
            "unknown": sorted(unknown),
            "now": now,
        }
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                DELETE FROM orphan WHERE bucket = %(bucket)s AND name > %(after)s AND name <> ALL(%(unknown)s)
                    AND (%(last)s::text IS NULL OR name <= %(last)s)
                """,
                parameters,
            )
            cursor = await connection.execute(
                """
                INSERT INTO orphan AS known (bucket, name, first_time)
                SELECT %(bucket)s, name, %(now)s FROM unnest(%(unknown)s::text[]) AS name
                ON CONFLICT (bucket, name) DO UPDATE SET first_time = known.first_time
                RETURNING name, first_time
                """,
                parameters,
            )
            return dict(await cursor.fetchall())

    async def forget(self, bucket: str, names: Collection[str]) -> None:
        """Forget orphans that were removed (`Walks.forget`)."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM orphan WHERE bucket = %s AND name = ANY(%s)", (bucket, list(names)))

    async def end_page(self, bucket: str, cursor: str, next_time: datetime) -> None:
        """Say where and when the next page begins (`Walks.end_page`)."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE bucket_walk SET after = %s, next_time = %s WHERE bucket = %s", (cursor, next_time, bucket)
            )
