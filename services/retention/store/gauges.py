"""Gauges of retention: what was ordered to be deleted and is not yet, and which keys were lost."""

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
PURPOSE_KEYS_LOST = Metric(
    "pellicule.purpose_keys.lost",
    MetricKind.GAUGE,
    "{key}",
    "Keys of purposes found lost in the last 7 days; the persons are asked again",
)


EPOCHS_OVERDUE = Metric(
    "pellicule.epochs.overdue",
    MetricKind.GAUGE,
    "{epoch}",
    "Epochs over 7 days old whose key is kept because it wraps what lives: older copies of the database can be opened",
)


def epoch_gauges(pool: Pool) -> Look:
    """Return the look at the epochs that have outlived their end."""

    async def look() -> Iterable[Reading]:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT count(*) FROM epoch
                WHERE destroy_time IS NULL AND make_time <= now() - interval '7 days 1 hour'
                """
            )
            ((overdue,),) = await cursor.fetchall()
        return [Reading(EPOCHS_OVERDUE, overdue, {})]

    return look


def purge_order_gauges(pool: Pool) -> Look:
    """Return the look at the open orders of each service, and at those that say that a key was lost."""

    async def look() -> Iterable[Reading]:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT service, count(*), extract(epoch FROM now() - min(create_time))::float
                FROM purge_order WHERE complete_time IS NULL GROUP BY service
                """
            )
            rows = await cursor.fetchall()
            # One order of a loss is for our own rows; it is kept for 7 days.
            cursor = await connection.execute(
                "SELECT count(*) FROM purge_order WHERE cause = 'KEY_LOST' AND service = 'retention'"
            )
            ((lost,),) = await cursor.fetchall()
        return [
            Reading(PURPOSE_KEYS_LOST, lost, {}),
            *(
                Reading(metric, value, {"service": service})
                for service, count, age in rows
                for metric, value in ((PURGE_ORDERS_OPEN, count), (PURGE_ORDERS_AGE, age))
            ),
        ]

    return look
