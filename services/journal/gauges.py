"""Gauges of the journal: whether the service may open anything, and how far its database has come."""

from collections.abc import Iterable

from services.chassis.gauges import Look, Reading
from services.chassis.metrics import Metric, MetricKind
from services.journal.follower import Follower

DOOR_OPEN = Metric(
    "pellicule.journal.open",
    MetricKind.GAUGE,
    "{door}",
    "Whether the service may open anything: 1, or 0 while its database has not seen all that was destroyed",
)
POSITION = Metric(
    "pellicule.journal.position",
    MetricKind.GAUGE,
    "{record}",
    "Number of the last record of the journal that the service's database has seen; -1 before it was read",
)


def journal_gauges(follower: Follower) -> Look:
    """Return the look at a follower; it asks no server, so that a closed door is seen."""

    async def look() -> Iterable[Reading]:
        return [Reading(DOOR_OPEN, int(follower.is_open)), Reading(POSITION, follower.position)]

    return look
