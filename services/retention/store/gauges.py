"""Gauges of retention: what was ordered to be deleted and is not yet."""

from collections.abc import Iterable

from services.chassis.database import Pool
from services.chassis.gauges import Look, Reading
from services.chassis.metrics import Metric, MetricKind

PURGE_ORDERS_OPEN = Metric(
    "pellicule.purge_orders.open",
    MetricKind.GAUGE,
    "{order}",
    "Orders to delete that a service has not carried out; their keys are destroyed already",
    ("service",),
)
PURGE_ORDERS_AGE = Metric(
    "pellicule.purge_orders.age",
    MetricKind.GAUGE,
    "s",
    "Age of the oldest open order; an erasure is overdue after a day",
    ("service",),
)


def purge_order_gauges(pool: Pool) -> Look:
    """Return the look at the open orders of each service; one statement."""

    async def look() -> Iterable[Reading]:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT service, count(*), extract(epoch FROM now() - min(create_time))::float
                FROM purge_order WHERE complete_time IS NULL GROUP BY service
                """
            )
            rows = await cursor.fetchall()
        return [
            Reading(metric, value, {"service": service})
            for service, count, age in rows
            for metric, value in ((PURGE_ORDERS_OPEN, count), (PURGE_ORDERS_AGE, age))
        ]

    return look
