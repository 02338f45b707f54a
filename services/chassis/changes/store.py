"""Change feed's tables: the head of each person, the latest change of each resource, what devices acknowledged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import psycopg
import structlog
from psycopg.rows import class_row
from psycopg_pool import PoolTimeout

from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool

TOMBSTONES_KEPT = timedelta(days=60)
"""A device that was away for longer begins anew."""

_SWEEP_SECONDS = 3600.0
_SUBJECTS_IN_TURN = 200

_log = structlog.get_logger()


@dataclass(frozen=True)
class Position:
    """How far somebody knows a person's changes.

    Attributes:
        incarnation: Of the head that gave the numbers.
        snapshot: The last change when the snapshot was begun from which they know; deletions before it mean nothing.
        sequence: The last change that they know.
    """

    incarnation: int
    snapshot: int
    sequence: int


@dataclass(frozen=True)
class Head:
    """The end of a person's changes.

    Attributes:
        incarnation: Differs when the person's feed was deleted and began again.
        sequence: Number of the last change.
        purged_sequence: Number of the last change whose tombstone is gone.
    """

    incarnation: int
    sequence: int
    purged_sequence: int


@dataclass(frozen=True)
class LatestChange:
    """The latest change of a resource.

    Attributes:
        resource: Its name.
        sequence: Number of the change.
        created_sequence: Number of the change that made the resource.
        deleted: Whether the resource is gone.
        change_time: When.
    """

    resource: str
    sequence: int
    created_sequence: int
    deleted: bool
    change_time: datetime


class ChangeStore(Protocol):
    """Where the changes are."""

    async def read(
        self, subject: str, position: Position | None, limit: int
    ) -> tuple[Head | None, Sequence[LatestChange]]:
        """Return the head and the first changes after a position, seen at one moment.

        Args:
            subject: Pseudonym of the person.
            position: What is known; None for nothing, so that what is gone by now is left out.
            limit: How many changes at most.
        """

    async def acknowledge(self, subject: str, device: str, position: Position, now: datetime) -> None:
        """Keep how far a device knows, unless it knows more or the position is none of this feed's."""

    async def acknowledged(self, subject: str, device: str) -> Position | None:
        """Return how far a device knows; None when it never said."""


class PostgresChangeStore:
    """Implements `ChangeStore`; each method is one statement."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(
        self, subject: str, position: Position | None, limit: int
    ) -> tuple[Head | None, Sequence[LatestChange]]:
        """Return the head and the first changes after a position, in one statement: seen at one moment."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT head.incarnation, head.sequence, head.purged_sequence,
                    change.resource, change.sequence, change.created_sequence, change.deleted, change.change_time
                FROM change_head AS head
                LEFT JOIN LATERAL (
                    SELECT * FROM change_feed
                    WHERE subject = head.subject AND sequence > %(sequence)s
                        AND NOT (deleted AND sequence <= coalesce(%(snapshot)s, head.sequence))
                    ORDER BY sequence LIMIT %(limit)s
                ) AS change ON true
                WHERE head.subject = %(subject)s
                ORDER BY change.sequence
                """,
                {
                    "subject": subject,
                    "sequence": 0 if position is None else position.sequence,
                    "snapshot": None if position is None else position.snapshot,
                    "limit": limit,
                },
            )
            rows = await cursor.fetchall()
        head = Head(*rows[0][:3]) if rows else None
        return head, [LatestChange(*row[3:]) for row in rows if row[3] is not None]

    async def acknowledge(self, subject: str, device: str, position: Position, now: datetime) -> None:
        """Keep how far a device knows; what lies behind or beyond the feed changes nothing."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                INSERT INTO change_acknowledgement AS known
                    (subject, device, incarnation, snapshot, sequence, acknowledge_time)
                SELECT subject, %(device)s, incarnation, %(snapshot)s, %(sequence)s, %(now)s FROM change_head
                WHERE subject = %(subject)s AND incarnation = %(incarnation)s AND sequence >= %(sequence)s
                ON CONFLICT (subject, device) DO UPDATE
                SET incarnation = excluded.incarnation,
                    snapshot = excluded.snapshot,
                    sequence = excluded.sequence,
                    acknowledge_time = excluded.acknowledge_time
                WHERE known.incarnation <> excluded.incarnation
                    OR (known.snapshot, known.sequence) <= (excluded.snapshot, excluded.sequence)
                """,
                {"subject": subject, "device": device, "now": now, **vars(position)},
            )

    async def acknowledged(self, subject: str, device: str) -> Position | None:
        """Return how far a device knows; None when it never said."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(Position)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT incarnation, snapshot, sequence FROM change_acknowledgement
                WHERE subject = %s AND device = %s
                """,
                (subject, device),
            )
            return await cursor.fetchone()


class ChangeSweep:
    """Deletes tombstones and acknowledgements after `TOMBSTONES_KEPT`. `run` is a task of the process."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def run(self) -> None:
        """Sweep each hour for as long as it runs."""
        while True:
            try:
                await self.sweep()
            except (psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("change_sweep_waits", exc_info=error)
            await self._clock.sleep(_SWEEP_SECONDS)

    async def sweep(self) -> None:
        """Delete what is old by now."""
        before = self._clock.now() - TOMBSTONES_KEPT
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM change_acknowledgement WHERE acknowledge_time < %s", (before,))
        while await self._purge(before) == _SUBJECTS_IN_TURN:
            pass

    async def _purge(self, before: datetime) -> int:
        """Delete the old tombstones of some persons; return of how many."""
        async with self._pool.connection() as connection:
            subjects = await _heads_locked(connection, before)
            await connection.execute(
                """
                WITH gone AS (
                    DELETE FROM change_feed WHERE deleted AND change_time < %(before)s AND subject = ANY(%(subjects)s)
                    RETURNING subject, sequence
                ), last AS (
                    SELECT subject, max(sequence) AS sequence FROM gone GROUP BY subject
                )
                UPDATE change_head AS head SET purged_sequence = greatest(head.purged_sequence, last.sequence)
                FROM last WHERE head.subject = last.subject
                """,
                {"before": before, "subjects": subjects},
            )
        return len(subjects)


async def _heads_locked(connection: Connection, before: datetime) -> list[str]:
    """Return persons with old tombstones; their writers wait, who take the head before the rows as well."""
    cursor = await connection.execute(
        """
        SELECT subject FROM change_head WHERE subject IN (
            SELECT DISTINCT subject FROM change_feed WHERE deleted AND change_time < %s LIMIT %s
        )
        ORDER BY subject FOR UPDATE
        """,
        (before, _SUBJECTS_IN_TURN),
    )
    return [subject for (subject,) in await cursor.fetchall()]
