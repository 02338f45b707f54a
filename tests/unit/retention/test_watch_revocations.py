import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from services.chassis.errors import DependencyUnavailable
from services.chassis.supervision import supervised
from services.retention.domain.keys import Purpose
from services.retention.domain.revocation import Revocation
from services.retention.operations.watch_revocations import RevocationHub
from tests.fakes.clock import FakeClock
from tests.fakes.retention_store import FakeStore

GONE = Revocation("a" * 32, purposes=(Purpose.LOCATION,))


class InterruptedStore(FakeStore):
    """Its database connection breaks when told."""

    def __init__(self) -> None:
        super().__init__()
        self.breaks = asyncio.Event()

    async def revocations(self) -> AsyncIterator[Sequence[Revocation]]:
        yield ()
        await self.breaks.wait()
        raise DependencyUnavailable("the database is gone")


async def revoke(store: FakeStore, revocation: Revocation) -> None:
    async with store.transaction() as transaction:
        await transaction.revoke([revocation])


async def listening(hub: RevocationHub) -> None:
    """Lets the hub take up its work."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_stream_begins_with_a_sign_of_life_and_brings_what_is_destroyed() -> None:
    store = FakeStore()
    hub = RevocationHub(store, FakeClock())
    async with supervised([hub.run]):
        await listening(hub)
        stream = hub.watch()
        assert await anext(stream) == ()
        await revoke(store, GONE)
        assert await anext(stream) == [GONE]


async def test_every_stream_hears_everything() -> None:
    store = FakeStore()
    hub = RevocationHub(store, FakeClock())
    async with supervised([hub.run]):
        await listening(hub)
        streams = [hub.watch() for _ in range(3)]
        for stream in streams:
            await anext(stream)
        await revoke(store, GONE)
        assert [await anext(stream) for stream in streams] == [[GONE]] * 3


async def test_before_anything_is_heard_no_stream_begins() -> None:
    hub = RevocationHub(FakeStore(), FakeClock())
    with pytest.raises(DependencyUnavailable):
        await anext(hub.watch())


async def test_an_interruption_ends_every_stream() -> None:
    store = InterruptedStore()
    hub = RevocationHub(store, FakeClock())
    async with supervised([hub.run]):
        await listening(hub)
        stream = hub.watch()
        await anext(stream)
        store.breaks.set()
        with pytest.raises(DependencyUnavailable):
            await anext(stream)


async def test_a_stream_that_does_not_keep_up_is_ended_rather_than_given_a_gap() -> None:
    store = FakeStore()
    hub = RevocationHub(store, FakeClock())
    async with supervised([hub.run]):
        await listening(hub)
        stream = hub.watch()
        await anext(stream)
        for _ in range(300):
            await revoke(store, GONE)
            await listening(hub)
        with pytest.raises(DependencyUnavailable):
            await drained(stream)


async def drained(stream: AsyncIterator[object]) -> None:
    async with asyncio.timeout(1):
        async for _ in stream:
            pass
