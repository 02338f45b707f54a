"""Limits of a cell as it grows: for each, how many persons reach it."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.cells.assumptions import Assumptions
from deploy.cells.loads import DAY, HOUR, Load, load_of

BACKUP_HOURS = 4.0
SERVICES, WORKING = 5, 2
"""Services with a database, and those of them that have workers."""
LISTENING = 2
"""Connections of a process that listen, beside its pool; one of upkeep holds the lock of its leases on one more."""
SHARE = 0.5
"""Of a rate that may be used: the rest is for a day that went wrong."""
JOURNAL_GIGABYTES_A_YEAR = 100.0
"""Beyond which reading the journal from its beginning takes a new database too long; assumed."""


@dataclass(frozen=True)
class Limit:
    """A limit of a cell.

    Attributes:
        name: What it is.
        used: Of it by the cell that was looked at; 1 is all of it.
        persons: Who reach it; 0 if persons are not what it hangs on.
        remedy: What moves it.
    """

    name: str
    used: float
    persons: int
    remedy: str


def limits(load: Load, assumptions: Assumptions) -> Sequence[Limit]:
    """Return the limits of a cell, the first that breaks first."""
    measured, configured, database = assumptions.measured, assumptions.configured, assumptions.database
    inference = configured.inference_servers * configured.inference_cores / measured.cores
    shares = (
        ("keys wrapped anew, one process", load.rewraps_a_day / (measured.rewraps * DAY * SHARE),
         "more processes of retention share the work; measure how far one PostgreSQL goes"),
        ("uploads at the peak, the slowest store measured", load.uploads_at_peak / measured.uploads,
         "a store of several disks, or the other store"),
        ("analysis within the day, models on processors", load.uploads_a_day / (measured.analyses * inference * DAY),
         "more servers of models, graphics cards"),
        ("analysis at the peak, models on processors", load.uploads_at_peak / (measured.analyses * inference),
         "photos wait until the peak is over; more servers of models"),
        ("keys opened, one process, at the peak",
         load.key_opens_a_day * assumptions.persons.peak / (measured.key_opens * DAY), "more processes of retention"),
        (f"backup of the databases within {BACKUP_HOURS:g} h",
         load.database_gigabytes * 1000 / database.backup_megabytes / HOUR / BACKUP_HOURS, "a backup of what changed"),
        ("log of PostgreSQL archived", load.wal_gigabytes_a_day * 1000 / (database.archive_megabytes * DAY * SHARE),
         "a database of each service apart"),
        (f"journal under {JOURNAL_GIGABYTES_A_YEAR:g} GB a year",
         load.journal_megabytes_a_day * 365 / 1000 / JOURNAL_GIGABYTES_A_YEAR, "a journal that begins anew"),
    )  # fmt: skip
    found = [Limit(name, used, int(load.persons / used), remedy) for name, used, remedy in shares]
    used = connections(assumptions) / configured.connections
    pods = Limit("connections, all pods at their most", used, 0, "max_connections, or fewer pods at the most")
    return (pods, *sorted(found, key=lambda limit: limit.persons))


def connections(assumptions: Assumptions) -> int:
    """Return the connections to the databases when everything is scaled out and every pool is full."""
    configured = assumptions.configured
    pods = SERVICES * (configured.servers + configured.upkeep) + WORKING * configured.workers
    return pods * (configured.pool + LISTENING) + SERVICES * configured.upkeep


def load_of_mean(persons: int, assumptions: Assumptions) -> Load:
    """Return what so many persons of the mean make a cell do."""
    assumed = assumptions.persons
    return load_of(persons, persons * assumed.photos_a_day * assumed.window_days, assumptions)
