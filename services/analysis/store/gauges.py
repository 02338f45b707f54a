"""Gauges of analysis: what waits to be analysed, and what was set aside."""

from collections.abc import Iterable

from services.chassis.database import Pool
from services.chassis.gauges import Look, Reading
from services.chassis.metrics import Metric, MetricKind

MEDIA_BY_STATE = Metric(
    "pellicule.analysis.media",
    MetricKind.GAUGE,
    "{media}",
    "Media by state: PENDING, DONE or PARKED, which is set aside",
    ("state",),
)


DUE = """
    SELECT count(*), extract(epoch FROM now() - min(next_attempt_time))::float
    FROM (SELECT next_attempt_time FROM media
        WHERE state = 'PENDING' AND next_attempt_time <= now() ORDER BY next_attempt_time LIMIT 10000) AS due
"""
"""Media whose time has come; how many, and for how many seconds the oldest waits."""


def media_gauges(pool: Pool) -> Look:
    """Return the look at how many media are in which state; one statement."""

    async def look() -> Iterable[Reading]:
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT state, count(*) FROM media GROUP BY state")
            return [Reading(MEDIA_BY_STATE, count, {"state": state}) for state, count in await cursor.fetchall()]

    return look
