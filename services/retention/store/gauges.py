"""Gauges of retention: what was ordered to be deleted and is not yet, and which keys were lost."""

from collections.abc import Iterable

from services.chassis.database import Pool
from services.chassis.gauges import Look, Reading
from services.chassis.metrics import Metric, MetricKind

_MOST_COUNTED = 10_000
"""More is no other alarm."""

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

EPOCHS_LIVE = Metric("pellicule.epochs.live", MetricKind.GAUGE, "{epoch}", "Epochs whose key is there; 8 as a rule")
EPOCHS_AGE = Metric(
    "pellicule.epochs.age", MetricKind.GAUGE, "s", "Age of the newest epoch; a new one is begun each day"
)
JOURNAL_PENDING = Metric(
    "pellicule.journal.pending",
    MetricKind.GAUGE,
    "{destruction}",
    "Destructions that are not in the journal yet; other than none for minutes means that it cannot be written",
)
DEADLINES_OVERDUE = Metric(
    "pellicule.deadlines.overdue",
    MetricKind.GAUGE,
    "{key}",
    "Keys of data that are past their end by over an hour and not destroyed",
)
PURGE_ORDERS_OVERDUE = Metric(
    "pellicule.purge_orders.overdue",
    MetricKind.GAUGE,
    "{order}",
    "Orders to delete that are open for over a day",
    ("service",),
)
EPOCHS_OVERDUE = Metric(
    "pellicule.epochs.overdue",
    MetricKind.GAUGE,
    "{epoch}",
    "Epochs over 7 days old whose key is kept because it wraps what lives: older copies of the database can be opened",
)


EPOCHS_REAPPEARED = Metric(
    "pellicule.epochs.reappeared",
    MetricKind.GAUGE,
    "{epoch}",
    "Epochs whose destroyed keys a copy brought back in the last 7 days; other than none is an alarm",
)


def epoch_gauges(pool: Pool) -> Look:
    """Return the look at the epochs that there are, that have outlived their end, and that a copy brought back."""

    async def look() -> Iterable[Reading]:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT count(*) FILTER (WHERE destroy_time IS NULL),
                    count(*) FILTER (WHERE destroy_time IS NULL AND make_time <= now() - interval '7 days 1 hour'),
                    coalesce(extract(epoch FROM now() - max(make_time) FILTER (WHERE destroy_time IS NULL)), 0)::float,
                    count(*) FILTER (WHERE reappear_time > now() - interval '7 days')
                FROM epoch
                """
            )
            ((live, overdue, age, reappeared),) = await cursor.fetchall()
        return [
            Reading(EPOCHS_LIVE, live),
            Reading(EPOCHS_OVERDUE, overdue),
            Reading(EPOCHS_AGE, age),
            Reading(EPOCHS_REAPPEARED, reappeared),
        ]

    return look


def deadline_gauges(pool: Pool) -> Look:
    """Return the look at what should be destroyed and is not, or is and does not stand in the journal."""

    async def look() -> Iterable[Reading]:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT (SELECT count(*) FROM (SELECT FROM journal_pending LIMIT %(most)s) AS pending),
                    (SELECT count(*) FROM (
                        SELECT FROM data_key WHERE delete_time <= now() - interval '1 hour' LIMIT %(most)s
                    ) AS overdue)
                """,
                {"most": _MOST_COUNTED},
            )
            ((pending, overdue),) = await cursor.fetchall()
        return [Reading(JOURNAL_PENDING, pending), Reading(DEADLINES_OVERDUE, overdue)]

    return look


def purge_order_gauges(pool: Pool, services: Iterable[str]) -> Look:
    """Return the look at the open orders of each of the services, and at those that say that a key was lost."""

    async def look() -> Iterable[Reading]:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT name, count(id), coalesce(extract(epoch FROM now() - min(create_time)), 0)::float,
                    count(id) FILTER (WHERE create_time <= now() - interval '1 day')
                FROM unnest(%(services)s::text[]) AS name
                LEFT JOIN purge_order ON service = name AND complete_time IS NULL GROUP BY name
                """,
                {"services": sorted(services)},
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
                for service, count, age, overdue in rows
                for metric, value in (
                    (PURGE_ORDERS_OPEN, count),
                    (PURGE_ORDERS_AGE, age),
                    (PURGE_ORDERS_OVERDUE, overdue),
                )
            ),
        ]

    return look
