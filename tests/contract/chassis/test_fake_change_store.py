from dataclasses import replace
from datetime import timedelta

import pytest

from services.chassis.changes.feed import ChangeFeed
from tests.contract.chassis.change_store_suite import ChangeStoreSuite
from tests.fakes.change_feed import FakeChangeFeed, FakeChangeStore
from tests.fakes.clock import FakeClock


class FakeRecords:
    """Implements `change_store_suite.Records`."""

    def __init__(self, store: FakeChangeStore, clock: FakeClock) -> None:
        self._store = store
        self._clock = clock

    async def changed(self, subject: str, *resources: str) -> None:
        self._store.record_changed(subject, resources)

    async def deleted(self, subject: str, *resources: str) -> None:
        self._store.record_deleted(subject, resources)

    async def all_deleted(self, subject: str) -> None:
        self._store.record_all_deleted(subject)

    async def forget(self, subject: str) -> None:
        self._store.forget_changes(subject)

    async def restore(self, subject: str, sequence: int) -> None:
        self._store.heads[subject] = replace(self._store.heads[subject], sequence=sequence)
        changes = self._store.latest[subject]
        self._store.latest[subject] = {name: each for name, each in changes.items() if each.sequence <= sequence}

    async def pass_time(self, by: timedelta) -> None:
        await self._clock.advance(by)
        self._store.sweep()


class TestFakeChangeStore(ChangeStoreSuite):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def fake(self, clock: FakeClock) -> FakeChangeFeed:
        return FakeChangeFeed(clock)

    @pytest.fixture
    def records(self, fake: FakeChangeFeed, clock: FakeClock) -> FakeRecords:
        return FakeRecords(fake.store, clock)

    @pytest.fixture
    def feed(self, fake: FakeChangeFeed) -> ChangeFeed:
        return fake.feed
