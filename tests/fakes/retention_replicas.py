"""Replicas of retention in memory, and a process to which no holder of keys ever came."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID, uuid4

from services.retention.domain.revocation import Beat, DestructionHeard, HolderNews, HolderWord, Lease, News, Revocation


class FakeReplicas:
    """Implements `Replicas` for the hubs that share it; `others` are replicas that are somewhere else."""

    def __init__(self) -> None:
        self.others: dict[UUID, float] = {}
        self._beaten: set[UUID] = set()
        self._told: dict[UUID, asyncio.Queue[Sequence[News]]] = {}

    def tell(self, news: Sequence[News]) -> None:
        """Tell every replica."""
        for queue in self._told.values():
            queue.put_nowait(tuple(news))

    async def told(self, replica: UUID) -> AsyncIterator[Sequence[News]]:
        queue = self._told[replica] = asyncio.Queue()
        try:
            yield ()
            while True:
                yield await queue.get()
        finally:
            del self._told[replica]

    async def beat(self, replica: UUID, number: int) -> None:
        self._beaten.add(replica)
        self._told[replica].put_nowait((Beat(number),))

    async def ages(self) -> Mapping[UUID, float]:
        return {**dict.fromkeys(self._beaten, 0.0), **self.others}

    async def acknowledge(self, destruction: UUID, replica: UUID) -> None:
        self.tell((DestructionHeard(destruction, replica),))


class NoHolders:
    """Implements `RevocationFeed`: nothing is held anywhere, so nothing is waited for."""

    def __init__(self) -> None:
        self.id = uuid4()

    async def watch(self) -> AsyncIterator[Sequence[Revocation]]:
        yield ()

    async def hold(self, words: AsyncIterator[HolderWord]) -> AsyncIterator[HolderNews]:
        async for word in words:
            yield Lease(word.renewal, 0.0)

    @contextmanager
    def awaited(self) -> "Iterator[NoHolders]":
        yield self

    async def heard(self) -> None:
        """Return at once."""
