"""Walks through buckets, in memory."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

from services.chassis.orphans import Page


class FakeWalks:
    """Implements `Walks`."""

    def __init__(self) -> None:
        self.walks: dict[str, tuple[str, datetime]] = {}
        self.orphans: dict[tuple[str, str], datetime] = {}

    async def begin_page(self, bucket: str, now: datetime, until: datetime) -> str | None:
        after, next_time = self.walks.get(bucket, ("", now))
        if next_time > now:
            return None
        self.walks[bucket] = after, until
        return after

    async def note(self, bucket: str, page: Page, unknown: AbstractSet[str], now: datetime) -> Mapping[str, datetime]:
        for held, name in list(self.orphans):
            within = name > page.after and (page.last is None or name <= page.last)
            if held == bucket and within and name not in unknown:
                del self.orphans[held, name]
        return {name: self.orphans.setdefault((bucket, name), now) for name in unknown}

    async def forget(self, bucket: str, names: Collection[str]) -> None:
        for name in names:
            self.orphans.pop((bucket, name), None)

    async def end_page(self, bucket: str, cursor: str, next_time: datetime) -> None:
        self.walks[bucket] = cursor, next_time
