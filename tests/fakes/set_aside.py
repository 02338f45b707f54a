"""Items that are set aside, in memory."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from services.chassis.failed_work.set_aside import FIRST_PAUSE, LONGEST_PAUSE, Item, SetAsideItem

_FORGOTTEN_AFTER = timedelta(days=1)


class FakeSetAside:
    """Implements `SetAside`."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], SetAsideItem] = {}

    async def of_kind(self, kind: str, now: datetime) -> Mapping[str, datetime]:
        gone = [key for key, each in self.items.items() if key[0] == kind and each.next_time < now - _FORGOTTEN_AFTER]
        for key in gone:
            del self.items[key]
        return {each.item: each.next_time for each in self.items.values() if each.kind == kind}

    async def put(self, kind: str, item: Item, reason: str, now: datetime) -> None:
        before = self.items.get((kind, item.id)) or SetAsideItem(kind, item.id, item.person, reason, 0, now, now)
        pause = min(FIRST_PAUSE * 2**before.attempts, LONGEST_PAUSE)
        self.items[kind, item.id] = replace(before, reason=reason, attempts=before.attempts + 1, next_time=now + pause)

    async def forget(self, person: str) -> None:
        self.items = {key: each for key, each in self.items.items() if each.person != person}

    async def clear(self, kind: str, item: str) -> None:
        self.items.pop((kind, item), None)
