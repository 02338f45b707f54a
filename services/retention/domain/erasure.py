"""Erasures, and what each store deleted for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.retention.domain.data_map import DataMap


class ErasureState(StrEnum):
    """How far an erasure has come; it never goes back."""

    KEYS_DESTROYED = "KEYS_DESTROYED"
    PURGED = "PURGED"


@dataclass(frozen=True)
class Erasure:
    """The erasure of one media, or of everything of a person if `media` is None."""

    id: UUID
    subject: str
    media: UUID | None
    request_time: datetime
    keys_destroy_time: datetime
    purge_time: datetime | None = None

    @property
    def state(self) -> ErasureState:
        """How far it has come."""
        return ErasureState.KEYS_DESTROYED if self.purge_time is None else ErasureState.PURGED


@dataclass(frozen=True)
class StorePurge:
    """What one store deleted for an erasure; outstanding while `purge_time` is None."""

    store: str
    service: str
    purged_count: int
    purge_time: datetime | None


def purge_table(reports: Sequence[StorePurge], data_map: DataMap) -> list[StorePurge]:
    """Return a row for each store of the services that have an order: the data map's, and any other reported.

    A service's stores are outstanding until all its orders are completed.

    Args:
        reports: A row for each order and store reported, and one with an empty store for each order without a report.
        data_map: What stores there are.
    """
    table: list[StorePurge] = []
    for service in sorted({report.service for report in reports}):
        of_service = [report for report in reports if report.service == service]
        times = [report.purge_time for report in of_service]
        done = None if None in times else max(time for time in times if time is not None)
        names = {report.store for report in of_service if report.store} | set(data_map.personal_stores(service))
        for store in sorted(names):
            count = sum(report.purged_count for report in of_service if report.store == store)
            table.append(StorePurge(store, service, count, done))
    return table
