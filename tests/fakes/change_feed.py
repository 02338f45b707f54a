"""A change feed in memory: what the tables and the listener do, for tests without servers."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from services.chassis.changes.feed import ChangeFeed
from services.chassis.changes.store import TOMBSTONES_KEPT, Head, LatestChange, Position
from tests.fakes.clock import FakeClock


class FakeWakes:
    """Implements `change_feed.Wakes`."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def waiting(self, channel: str, payload: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._waiting[payload].add(event)
        try:
            yield event
        finally:
            self._waiting[payload].discard(event)

    def wake(self, payload: str) -> None:
        for event in self._waiting[payload]:
            event.set()


class FakeChangeStore:
    """Implements `change_store.ChangeStore`, and takes the changes down."""

    def __init__(self, clock: FakeClock, wakes: FakeWakes) -> None:
        self._clock = clock
        self._wakes = wakes
        self._incarnations = 0
        self.heads: dict[str, Head] = {}
        self.latest: dict[str, dict[str, LatestChange]] = defaultdict(dict)
        self.acknowledgements: dict[tuple[str, str], Position] = {}

    def record_changed(self, subject: str, resources: Sequence[str]) -> None:
        for resource in resources:
            sequence, known = self._next(subject), self.latest[subject].get(resource)
            created = sequence if known is None or known.deleted else known.created_sequence
            self.latest[subject][resource] = LatestChange(resource, sequence, created, False, self._clock.now())
        self._wakes.wake(subject)

    def record_deleted(self, subject: str, resources: Sequence[str]) -> None:
        for resource in resources:
            known = self.latest[subject].get(resource)
            if known is not None and not known.deleted:
                sequence = self._next(subject)
                self.latest[subject][resource] = replace(
                    known, sequence=sequence, deleted=True, change_time=self._clock.now()
                )
        self._wakes.wake(subject)

    def record_all_deleted(self, subject: str) -> None:
        self.record_deleted(subject, list(self.latest[subject]))

    def forget_changes(self, subject: str) -> None:
        self.heads.pop(subject, None)
        self.latest.pop(subject, None)
        self._wakes.wake(subject)

    def wake(self, subject: str) -> None:
        self._wakes.wake(subject)

    def sweep(self) -> None:
        before = self._clock.now() - TOMBSTONES_KEPT
        for subject, changes in self.latest.items():
            for gone in [each for each in changes.values() if each.deleted and each.change_time < before]:
                del changes[gone.resource]
                head = self.heads[subject]
                self.heads[subject] = replace(head, purged_sequence=max(head.purged_sequence, gone.sequence))

    async def read(
        self, subject: str, position: Position | None, limit: int
    ) -> tuple[Head | None, Sequence[LatestChange]]:
        head = self.heads.get(subject)
        if head is None:
            return None, []
        after, snapshot = (0, head.sequence) if position is None else (position.sequence, position.snapshot)
        changes = sorted(self.latest[subject].values(), key=lambda change: change.sequence)
        wanted = [
            each for each in changes if each.sequence > after and not (each.deleted and each.sequence <= snapshot)
        ]
        return head, wanted[:limit]

    async def acknowledge(self, subject: str, device: str, position: Position, now: datetime) -> None:
        head, known = self.heads.get(subject), self.acknowledgements.get((subject, device))
        if head is None or position.incarnation != head.incarnation or position.sequence > head.sequence:
            return
        if known is None or known.incarnation != position.incarnation or _place(known) <= _place(position):
            self.acknowledgements[subject, device] = position

    async def acknowledged(self, subject: str, device: str) -> Position | None:
        return self.acknowledgements.get((subject, device))

    def _next(self, subject: str) -> int:
        if subject not in self.heads:
            self._incarnations += 1
            self.heads[subject] = Head(self._incarnations, 0, 0)
        head = self.heads[subject]
        self.heads[subject] = replace(head, sequence=head.sequence + 1)
        return head.sequence + 1


class FakeChangeFeed:
    """A feed over a fake store.

    Attributes:
        store: Takes the changes down.
        feed: Tells them.
    """

    def __init__(self, clock: FakeClock, list_name: str = "WatchMedia") -> None:
        self.wakes = FakeWakes()
        self.store = FakeChangeStore(clock, self.wakes)
        self.feed = ChangeFeed(self.store, self.wakes, clock, list_name)


def _place(position: Position) -> tuple[int, int]:
    return position.snapshot, position.sequence
