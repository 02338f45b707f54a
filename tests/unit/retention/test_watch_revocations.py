import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from services.chassis.errors import DependencyUnavailable
from services.chassis.supervision import supervised
from services.retention.domain.keys import Purpose
from services.retention.domain.revocation import HolderNews, HolderWord, Lease, News, Numbered, Revocation
from services.retention.operations.holders import LONGEST_SECONDS
from services.retention.operations.watch_revocations import RevocationHub
from tests.fakes.clock import FakeClock
from tests.fakes.retention_replicas import FakeReplicas
from tests.fakes.retention_store import FakeStore

GONE = Revocation("a" * 32, purposes=(Purpose.LOCATION,))


class InterruptedReplicas(FakeReplicas):
    """Their database connection breaks when told."""

    def __init__(self) -> None:
        super().__init__()
        self.breaks = asyncio.Event()

    async def told(self, replica: UUID) -> AsyncIterator[Sequence[News]]:
        news = super().told(replica)
        yield await anext(news)
        yield await anext(news)
        await self.breaks.wait()
        raise DependencyUnavailable("the database is gone")


class Process:
    """A replica of the service with its clock, and holders of keys that say what a test lets them say."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.clock = FakeClock()
        self.hub = RevocationHub(store.replicas, self.clock)

    async def destroy(self) -> "asyncio.Future[None]":
        """Destroy something; what is returned is done when it is gone everywhere."""
        waiting = asyncio.ensure_future(self._destroy())
        await settled()
        return waiting

    async def _destroy(self) -> None:
        with self.hub.awaited() as destruction:
            async with self.store.transaction() as transaction:
                await transaction.revoke([GONE])
                await transaction.conclude(destruction.id)
            await destruction.heard()


class FakeHolder:
    """A holder of keys at a hub."""

    def __init__(self, hub: RevocationHub) -> None:
        self._words: asyncio.Queue[HolderWord | None] = asyncio.Queue()
        self.stream = hub.hold(self._say())

    async def lease(self) -> Lease:
        self.say(HolderWord(renewal=1))
        news = await anext(self.stream)
        assert isinstance(news, Lease)
        return news

    def say(self, word: HolderWord) -> None:
        self._words.put_nowait(word)

    async def heard(self) -> HolderNews:
        return await anext(self.stream)

    async def _say(self) -> AsyncIterator[HolderWord]:
        while (word := await self._words.get()) is not None:
            yield word


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def process(store: FakeStore) -> AsyncIterator[Process]:
    async with running(store) as process:
        yield process


@asynccontextmanager
async def running(store: FakeStore) -> AsyncIterator[Process]:
    process = Process(store)
    async with supervised([process.hub.run]):
        await settled()
        yield process


async def settled() -> None:
    """Lets the hubs take up their work."""
    for _ in range(20):
        await asyncio.sleep(0)


class TestWatching:
    async def test_a_stream_begins_with_a_sign_of_life_and_brings_what_is_destroyed(self, process: Process) -> None:
        stream = process.hub.watch()
        assert await anext(stream) == ()
        await process.destroy()
        assert await anext(stream) == [GONE]

    async def test_every_stream_hears_everything(self, process: Process) -> None:
        streams = [process.hub.watch() for _ in range(3)]
        for stream in streams:
            await anext(stream)
        await process.destroy()
        assert [await anext(stream) for stream in streams] == [[GONE]] * 3

    async def test_before_anything_is_heard_no_stream_begins(self, store: FakeStore) -> None:
        hub = RevocationHub(store.replicas, FakeClock())
        with pytest.raises(DependencyUnavailable):
            await anext(hub.watch())
        with pytest.raises(DependencyUnavailable):
            await FakeHolder(hub).lease()

    async def test_an_interruption_ends_every_stream(self, store: FakeStore) -> None:
        store.replicas = replicas = InterruptedReplicas()
        async with running(store) as process:
            stream, holder = process.hub.watch(), FakeHolder(process.hub)
            await anext(stream)
            await holder.lease()
            replicas.breaks.set()
            with pytest.raises(DependencyUnavailable):
                await anext(stream)
            with pytest.raises(DependencyUnavailable):
                await holder.heard()

    async def test_a_stream_that_does_not_keep_up_is_ended_rather_than_given_a_gap(self, process: Process) -> None:
        stream = process.hub.watch()
        await anext(stream)
        for _ in range(300):
            await process.destroy()
        with pytest.raises(DependencyUnavailable):
            await drained(stream)


class TestWaiting:
    async def test_without_a_holder_nothing_is_waited_for(self, process: Process) -> None:
        assert (await process.destroy()).done()

    async def test_a_destruction_waits_until_every_holder_has_dropped_it(self, process: Process) -> None:
        holders = [FakeHolder(process.hub) for _ in range(2)]
        for holder in holders:
            await holder.lease()
        waiting = await process.destroy()
        for holder in holders:
            assert not waiting.done()
            holder.say(HolderWord(acknowledged=number_of(await holder.heard())))
            await settled()
        assert waiting.done()

    async def test_a_destruction_that_is_repeated_waits_for_the_first(self, process: Process) -> None:
        holder = FakeHolder(process.hub)
        await holder.lease()
        await process.destroy()
        again = await process.destroy()
        assert not again.done()
        await holder.heard()
        holder.say(HolderWord(acknowledged=number_of(await holder.heard())))
        await settled()
        assert again.done()

    async def test_a_holder_that_says_nothing_is_waited_for_as_long_as_its_lease_lasts(self, process: Process) -> None:
        lease = await FakeHolder(process.hub).lease()
        waiting = await process.destroy()
        await process.clock.advance(lease.seconds - 0.1)
        assert not waiting.done()
        await process.clock.advance(0.3)
        assert waiting.done()

    async def test_a_holder_whose_stream_breaks_has_its_keys_until_its_lease_is_over(self, process: Process) -> None:
        holder = FakeHolder(process.hub)
        await holder.lease()
        await holder.stream.aclose()  # type: ignore[attr-defined]  # an async generator
        waiting = await process.destroy()
        assert not waiting.done()
        await process.clock.advance(LONGEST_SECONDS)
        assert waiting.done()

    async def test_a_holder_that_leaves_is_not_waited_for(self, process: Process) -> None:
        holder = FakeHolder(process.hub)
        await holder.lease()
        holder.say(HolderWord(leaving=True))
        assert [news async for news in holder.stream] == []
        assert (await process.destroy()).done()

    async def test_who_cannot_acknowledge_is_given_the_whole_time(self, process: Process) -> None:
        await anext(process.hub.watch())
        waiting = await process.destroy()
        assert not waiting.done()
        await process.clock.advance(LONGEST_SECONDS)
        assert waiting.done()

    async def test_a_lease_comes_after_what_was_destroyed_before_it(self, process: Process) -> None:
        holder = FakeHolder(process.hub)
        await holder.lease()
        await process.destroy()
        holder.say(HolderWord(renewal=2))
        await settled()
        assert [type(await holder.heard()) for _ in range(2)] == [Numbered, Lease]

    async def test_a_lease_lasts_from_the_last_proof_that_nothing_was_missed(self, store: FakeStore) -> None:
        store.replicas = InterruptedReplicas()
        async with running(store) as process:
            holder = FakeHolder(process.hub)
            assert (await holder.lease()).seconds == 3.0
            await process.clock.advance(2)
            assert (await holder.lease()).seconds == 1.0
            await process.clock.advance(2)
            assert (await holder.lease()).seconds == 0.0


class TestReplicas:
    async def test_holders_of_other_replicas_are_waited_for(self, store: FakeStore, process: Process) -> None:
        async with running(store) as other:
            holder = FakeHolder(other.hub)
            await holder.lease()
            waiting = await process.destroy()
            assert not waiting.done()
            holder.say(HolderWord(acknowledged=number_of(await holder.heard())))
            await settled()
            assert waiting.done()

    async def test_a_replica_that_says_nothing_is_waited_for_as_long_as_its_leases_last(
        self, store: FakeStore, process: Process
    ) -> None:
        store.replicas.others = {uuid4(): 0.5}
        waiting = await process.destroy()
        await process.clock.advance(LONGEST_SECONDS - 0.1)
        assert not waiting.done()
        await process.clock.advance(0.2)
        assert waiting.done()

    async def test_a_replica_that_has_been_gone_for_long_is_not_waited_for(
        self, store: FakeStore, process: Process
    ) -> None:
        store.replicas.others = {uuid4(): 4.0}
        assert (await process.destroy()).done()

    async def test_a_replica_that_is_going_is_waited_for_until_its_leases_are_over(
        self, store: FakeStore, process: Process
    ) -> None:
        store.replicas.others = {uuid4(): 3.0}
        waiting = await process.destroy()
        assert not waiting.done()
        await process.clock.advance(1.0)
        assert waiting.done()


def number_of(news: HolderNews) -> int:
    assert isinstance(news, Numbered)
    return news.number


async def drained(stream: AsyncIterator[object]) -> None:
    async with asyncio.timeout(1):
        async for _ in stream:
            pass
