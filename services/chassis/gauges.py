"""Gauges: what is there at a moment, such as rows that wait, looked at again and again."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import LiteralString, TypeAlias

import structlog

from services.chassis.certificates.renewal import Certificates
from services.chassis.clock import Clock
from services.chassis.database import Pool
from services.chassis.messaging.bus import Bus
from services.chassis.metrics import (
    CERTIFICATE_EXPIRES,
    CONSUMER_PENDING,
    DEAD_LETTERS,
    DISK_FREE,
    OUTBOX_AGE,
    OUTBOX_PENDING,
    POOL_CONNECTIONS,
    POOL_MAX,
    POOL_PENDING,
    SET_ASIDE,
    WORK_AGE,
    WORK_DUE,
    Attributes,
    Measurements,
    Metric,
)

_EVERY_SECONDS = 30.0
_MOST_COUNTED = 10_000
"""Of what failed: more is no other alarm."""
_DEAD_LETTERS = """
    SELECT consumer, count(*) FROM (
        SELECT consumer FROM dead_letter ORDER BY consumer, event_id LIMIT %(most)s
    ) AS counted GROUP BY consumer
"""
_SET_ASIDE = """
    SELECT kind, count(*) FROM (SELECT kind FROM set_aside ORDER BY kind, item LIMIT %(most)s) AS counted GROUP BY kind
"""

_log = structlog.get_logger()


@dataclass(frozen=True)
class Reading:
    """The value of a gauge.

    Attributes:
        metric: Which.
        value: In its unit.
        attributes: What it is told apart by.
    """

    metric: Metric
    value: float
    attributes: Attributes = field(default_factory=dict)


Look: TypeAlias = Callable[[], Awaitable[Iterable[Reading]]]
"""Looks at something once."""


_Key: TypeAlias = tuple[str, frozenset[tuple[str, str | int]]]


class Gauges:
    """Takes readings down. `run` is a task of the process."""

    def __init__(self, looks: Sequence[Look], measurements: Measurements, clock: Clock) -> None:
        self._looks = looks
        self._measurements = measurements
        self._clock = clock
        self._seen: dict[Look, dict[_Key, Reading]] = {}

    async def run(self) -> None:
        """Look each 30 s for as long as it runs."""
        while True:
            for look in self._looks:
                await self._take(look)
            await self._clock.sleep(_EVERY_SECONDS)

    async def _take(self, look: Look) -> None:
        try:
            now = {(each.metric.name, frozenset(each.attributes.items())): each for each in await look()}
        except Exception as error:  # noqa: BLE001  # what cannot be looked at now has no value now
            _log.warning("gauge_unknown", exc_info=error)
            for reading in self._seen.pop(look, {}).values():
                self._measurements.forget(reading.metric, reading.attributes)
            return
        gone = {key: replace(each, value=0) for key, each in self._seen.get(look, {}).items()}
        self._seen[look] = {**gone, **now}  # what has gone is none, and not as many as there were
        for reading in self._seen[look].values():
            self._measurements.measure(reading.metric, reading.value, reading.attributes)


def database_gauges(pool: Pool) -> Look:
    """Return the look at the outbox, the dead letters and what is set aside."""

    async def look() -> Iterable[Reading]:
        async with pool.connection() as connection:
            outbox = await connection.execute(
                "SELECT count(*), coalesce(extract(epoch FROM now() - min(create_time)), 0) FROM outbox"
                " WHERE sequence IS NULL"
            )
            ((pending, age),) = await outbox.fetchall()
            letters = await connection.execute(_DEAD_LETTERS, {"most": _MOST_COUNTED})
            dead = await letters.fetchall()
            aside = await connection.execute(_SET_ASIDE, {"most": _MOST_COUNTED})
            failed = await aside.fetchall()
        return [
            Reading(OUTBOX_PENDING, pending),
            Reading(OUTBOX_AGE, float(age)),
            *(Reading(DEAD_LETTERS, count, {"consumer": consumer}) for consumer, count in dead),
            *(Reading(SET_ASIDE, count, {"kind": kind}) for kind, count in failed),
        ]

    return look


def pool_gauges(**pools: Pool) -> Look:
    """Return the look at the connections of pools, each under its name."""

    async def look() -> Iterable[Reading]:
        return [reading for name, pool in pools.items() for reading in _pool_readings(name, pool)]

    return look


def work_gauges(pool: Pool, kind: str, statement: LiteralString) -> Look:
    """Return the look at what is due.

    Args:
        pool: Of the service's database.
        kind: Of work.
        statement: Returns how many items are due, and for how many seconds the oldest is.
    """

    async def look() -> Iterable[Reading]:
        async with pool.connection() as connection:
            cursor = await connection.execute(statement)
            ((due, age),) = await cursor.fetchall()
        return [Reading(WORK_DUE, due, {"kind": kind}), Reading(WORK_AGE, float(age or 0), {"kind": kind})]

    return look


def _pool_readings(name: str, pool: Pool) -> Iterable[Reading]:
    stats, of = pool.get_stats(), {"db.client.connection.pool.name": name}
    there, idle = stats["pool_size"], stats["pool_available"]
    return [
        Reading(POOL_CONNECTIONS, there - idle, {**of, "db.client.connection.state": "used"}),
        Reading(POOL_CONNECTIONS, idle, {**of, "db.client.connection.state": "idle"}),
        Reading(POOL_MAX, stats["pool_max"], of),
        Reading(POOL_PENDING, stats["requests_waiting"], of),
    ]


def bus_gauges(bus: Bus) -> Look:
    """Return the look at how far the process's consumers are behind."""

    async def look() -> Iterable[Reading]:
        return [Reading(CONSUMER_PENDING, count, {"consumer": name}) for name, count in await bus.pending()]

    return look


def certificate_gauges(certificates: Certificates) -> Look:
    """Return the look at how long the certificates in use are good."""

    async def look() -> Iterable[Reading]:
        own, now = certificates.own.current, certificates.clock.now()
        ends = {"own": own.expire_time, "authority": own.authorities.expire_time}
        return [
            Reading(CERTIFICATE_EXPIRES, (end - now).total_seconds(), {"certificate": of}) for of, end in ends.items()
        ]

    return look


def disk_gauge(folder: Path) -> Look:
    """Return the look at the free space of a folder's file system."""

    async def look() -> Iterable[Reading]:
        return [Reading(DISK_FREE, (await asyncio.to_thread(shutil.disk_usage, folder)).free)]

    return look
