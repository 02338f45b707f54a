"""Leases: what one process of a service does at a time, whichever it is.

A lease is a row of the service's own database with an end that its holder moves on while others want it. A holder that
dies loses it at once, as the database lets go of its advisory lock; one that stands still loses it at its end, and then
each of its transactions fails: what the work changes is in the database that says whose turn it is. A process that is
alone writes nothing.
"""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Never

import psycopg
import structlog

from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool, fenced
from services.chassis.errors import DependencyUnavailable
from services.chassis.gauges import Reading
from services.chassis.loops import enduring
from services.chassis.metrics import LEASE_HELD
from services.chassis.tasks import Task

LEASE = timedelta(seconds=15)
"""How long a holder that stands still has a lease; it is renewed after a third, and an answer waited for as long."""
CHANNEL = "lease"
"""Where it is told that leases were given back."""
_LOOK_SECONDS = 1.0
_STOP_SECONDS = 5.0
_LOCKS = 0x6C656173
"""Class of the advisory locks."""

_CONTENDERS = """
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND classid = %(locks)s AND objsubid = 2 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_RENEW = f"""
    WITH renewed AS (
        UPDATE lease SET expire_time = clock_timestamp() + %(lease)s
        WHERE holder = %(holder)s AND EXISTS ({_CONTENDERS} AND objid::bigint <> %(holder)s)
    )
    SELECT name FROM lease WHERE holder = %(holder)s
"""  # noqa: S608  # of literals
# A holder that was alone had no reason to move the end on: who wants it waits as long as a lease lasts before it looks.
_LOST = f"""
    (%(patient)s AND held.expire_time < clock_timestamp())
    OR NOT EXISTS ({_CONTENDERS} AND objid::bigint = held.holder)
"""
_TAKE = f"""
    INSERT INTO lease AS held (name, holder, take_time, expire_time)
    SELECT name, %(holder)s, clock_timestamp(), clock_timestamp() + %(lease)s
    FROM unnest(%(names)s::text[]) AS name
    WHERE NOT EXISTS (
        SELECT FROM lease AS held WHERE held.name = name.name AND NOT ({_LOST})
    )
    ON CONFLICT (name) DO UPDATE
    SET holder = excluded.holder, take_time = excluded.take_time, expire_time = excluded.expire_time
    WHERE {_LOST}
    RETURNING name
"""  # noqa: S608  # of literals
_GIVE_BACK = "DELETE FROM lease WHERE holder = %(holder)s"
# A transaction that has written nothing needs no lease, and must not write because of it.
_CHECK = """
    SELECT 1 WHERE pg_current_xact_id_if_assigned() IS NULL
    UNION ALL
    SELECT 1 FROM (
        SELECT FROM lease
        WHERE name = %(name)s AND holder = %(holder)s AND pg_current_xact_id_if_assigned() IS NOT NULL FOR KEY SHARE
    ) AS kept
"""

_log = structlog.stdlib.get_logger()


class LeaseLost(DependencyUnavailable):
    """Another process does this by now."""

    @classmethod
    def of_work(cls, name: str) -> "LeaseLost":
        """Return the error of a transaction that came too late."""
        return cls(f"the lease {name} was lost: another process does this work")


class LeasedTasks:
    """Groups of tasks, each of which runs in one process at a time. `run` is a task of the process.

    It needs a connection of its own, whose end is how others learn that the process is gone.
    """

    def __init__(
        self, pool: Pool, clock: Clock, groups: Mapping[str, Sequence[Task]], *, lease: timedelta = LEASE
    ) -> None:
        """Describe the groups.

        Args:
            pool: Of the service's database.
            clock: Says when to begin again what failed.
            groups: Tasks that go together, by the name of their lease; one that fails begins again.
            lease: How long a holder that stands still has one.
        """
        self._url = str(pool.conninfo)
        self._clock = clock
        self._groups = groups
        self._lease = lease
        self._running: dict[str, asyncio.Task[None]] = {}

    async def look(self) -> Iterable[Reading]:
        """Return which leases this process holds; a look of its gauges."""
        return [Reading(LEASE_HELD, int(name in self._running), {"lease": name}) for name in self._groups]

    async def run(self) -> None:
        """Run what this process has the leases for, until cancelled."""
        while True:
            try:
                await self._hold()
            except (psycopg.OperationalError, TimeoutError) as error:
                _log.warning("leases_wait", exc_info=error)
            await self._clock.sleep(_LOOK_SECONDS)

    async def _hold(self) -> Never:
        async with (
            await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection,
            _Holder(connection, self._clock, self._groups, self._lease, self._running) as holder,
        ):
            while True:
                await holder.look()
                await holder.wait()


class _Holder:
    """A process that holds leases, for as long as one connection lives."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        groups: Mapping[str, Sequence[Task]],
        lease: timedelta,
        running: dict[str, asyncio.Task[None]],
    ) -> None:
        # A holder that gets no answer ends its work before another one begins: two thirds of the lease are over then.
        self._third = lease.total_seconds() / 3
        self._connection = connection
        self._clock = clock
        self._groups = groups
        self._running = running
        self._number = secrets.randbelow(2**31)
        self._patient_at = float("inf")
        self._of = {"holder": self._number, "lease": lease, "locks": _LOCKS, "names": list(groups)}

    async def __aenter__(self) -> "_Holder":
        async with asyncio.timeout(self._third):
            await self._connection.execute("SELECT pg_advisory_lock(%s, %s)", (_LOCKS, self._number))
            await self._connection.execute(f"LISTEN {CHANNEL}")
        self._patient_at = self._clock.monotonic() + 3 * self._third
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the work first, so that what it has begun is not fenced off, and then let others go on at once."""
        await self._stop(set(self._running))
        with suppress(psycopg.OperationalError, TimeoutError):
            async with asyncio.timeout(self._third):
                if (await self._connection.execute(_GIVE_BACK, self._of)).rowcount:
                    await self._connection.execute(f"NOTIFY {CHANNEL}")

    async def look(self) -> None:
        """Renew what is held, take what is free, and have the tasks run for which there is a lease.

        Raises:
            TimeoutError: the database does not answer in time; what is held may be lost.
        """
        async with asyncio.timeout(self._third):
            held = await self._names(_RENEW)
            free = await self._names(_TAKE) if held < self._groups.keys() else frozenset()
        await self._stop(self._running.keys() - held)
        for name in free:
            self._start(name)

    async def wait(self) -> None:
        """Wait until it is time to look again."""
        has_all = self._running.keys() == self._groups.keys()
        seconds = self._third if has_all else min(self._third, _LOOK_SECONDS)
        async for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass

    async def _names(self, statement: str) -> AbstractSet[str]:
        patient = self._clock.monotonic() >= self._patient_at
        cursor = await self._connection.execute(statement.encode(), {**self._of, "patient": patient})
        return {str(name) for (name,) in await cursor.fetchall()}

    def _start(self, name: str) -> None:
        _log.info("lease_taken", lease=name)
        self._running[name] = asyncio.create_task(self._run(name), name=name)

    async def _run(self, name: str) -> None:
        with fenced(partial(_check, {"name": name, "holder": self._number})):
            async with asyncio.TaskGroup() as group:
                for task in self._groups[name]:
                    group.create_task(_forever(task, self._clock))

    async def _stop(self, names: AbstractSet[str]) -> None:
        stopping = [self._running.pop(name) for name in names]
        for task in stopping:
            task.cancel()
        if stopping:
            _log.info("lease_ended", lease=sorted(names))
            await asyncio.wait(stopping, timeout=_STOP_SECONDS)


async def _forever(task: Task, clock: Clock) -> None:
    await enduring(task, clock)()


async def _check(of: Mapping[str, object], connection: Connection) -> None:
    if not (await connection.execute(_CHECK, of)).rowcount:
        raise LeaseLost.of_work(str(of["name"]))
