"""Hub of revocations: what is destroyed, from the database to every holder of keys of this process, and back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from uuid import UUID, uuid4

import structlog

from services.chassis.clock import Clock
from services.chassis.errors import DependencyUnavailable
from services.retention.domain.revocation import (
    LEASE_SECONDS,
    Beat,
    DestructionHeard,
    DestructionTold,
    HolderNews,
    HolderWord,
    Lease,
    News,
    Numbered,
    Revocation,
)
from services.retention.errors import RevocationsInterrupted
from services.retention.operations.awaited import Awaited, AwaitedDestructions
from services.retention.operations.holders import LONGEST_SECONDS, MARGIN_SECONDS, Holder, Holders
from services.retention.ports import Replicas

_BEAT_SECONDS = 1.0
_RETRY_SECONDS = 0.5

_log = structlog.stdlib.get_logger()


class RevocationHub:
    """Implements `ports.RevocationFeed`: one listener for all streams. `run` is a task of the process.

    A lease lasts from the last beat that came back through the database: what was committed before that beat was sent
    on to the holders before the lease. A destruction therefore outlives no lease that was given without knowing of it.
    """

    def __init__(self, replicas: Replicas, clock: Clock) -> None:
        self._replicas = replicas
        self._clock = clock
        self._holders = Holders(clock)
        self._watchers: set[Holder] = set()
        self._awaited = AwaitedDestructions(replicas, clock)
        self._beats: dict[int, float] = {}
        self._proven = float("-inf")

    async def run(self) -> None:
        """Listen, until cancelled."""
        while True:
            try:
                await self._listen(uuid4())
            except* DependencyUnavailable:
                _log.warning("revocations_interrupted")
            finally:
                self._proven = float("-inf")
                self._holders.end_all()
            await self._clock.sleep(_RETRY_SECONDS)

    def awaited(self) -> AbstractContextManager[Awaited]:
        """Give a destruction that can be waited for within the block."""
        return self._awaited.awaited()

    async def watch(self) -> AsyncIterator[Sequence[Revocation]]:
        """Yield what is destroyed from now on, to a holder that cannot acknowledge; an empty item at least each second.

        Raises:
            DependencyUnavailable: there is a gap, or nothing can be told.
        """
        with self._joined() as holder:
            self._watchers.add(holder)
            try:
                self._presume(holder)
                while (news := await holder.next()) is not None:
                    yield [news.revocation] if isinstance(news, Numbered) else ()
            finally:
                self._watchers.discard(holder)
        raise RevocationsInterrupted.now()

    async def hold(self, words: AsyncIterator[HolderWord]) -> AsyncIterator[HolderNews]:
        """Yield what is destroyed from now on, and the leases that a holder asks for.

        Raises:
            DependencyUnavailable: there is a gap, or nothing can be told.
        """
        with self._joined() as holder:
            hearing = asyncio.ensure_future(self._hear(holder, words))
            hearing.add_done_callback(lambda _: holder.end())
            try:
                while (news := await holder.next()) is not None:
                    yield news
            finally:
                hearing.cancel()
                await asyncio.wait({hearing})
        if not holder.left:
            raise RevocationsInterrupted.now()

    def _joined(self) -> AbstractContextManager[Holder]:
        if self._proven == float("-inf"):
            raise RevocationsInterrupted.now()
        return self._holders.joined()

    async def _hear(self, holder: Holder, words: AsyncIterator[HolderWord]) -> None:
        async for word in words:
            if word.leaving:
                self._holders.leave(holder)
            if word.acknowledged:
                self._holders.acknowledge(holder, word.acknowledged)
            if word.renewal:
                self._renew(holder, word.renewal)

    def _presume(self, watcher: Holder) -> None:
        """Send a heartbeat: who cannot acknowledge holds keys until it was silent for as long as a lease lasts."""
        watcher.grant(Lease(0, LEASE_SECONDS), self._clock.monotonic() + LONGEST_SECONDS)

    def _renew(self, holder: Holder, renewal: int) -> None:
        now = self._clock.monotonic()
        seconds = max(self._proven + LEASE_SECONDS - now, 0.0)
        holder.grant(Lease(renewal, seconds), now + seconds + MARGIN_SECONDS)

    async def _listen(self, replica: UUID) -> None:
        async with asyncio.TaskGroup() as tasks:
            beating: asyncio.Task[None] | None = None
            async for news in self._replicas.told(replica):
                beating = beating or tasks.create_task(self._beat(replica))
                for each in news:
                    self._take(each, replica, tasks)

    async def _beat(self, replica: UUID) -> None:
        number = 0
        while True:
            number += 1
            self._beats[number] = self._clock.monotonic()
            try:
                await self._replicas.beat(replica, number)
            except DependencyUnavailable:
                _log.warning("beat_failed")
            await self._clock.sleep(_BEAT_SECONDS)

    def _take(self, news: News, replica: UUID, tasks: asyncio.TaskGroup) -> None:
        match news:
            case Revocation():
                self._holders.tell(news)
            case DestructionTold(destruction):
                tasks.create_task(self._answer(destruction, replica))
            case DestructionHeard(destruction, by):
                self._awaited.heard(destruction, by)
            case Beat(number):
                self._prove(number)

    def _prove(self, number: int) -> None:
        self._proven = self._beats[number]
        self._beats = {later: sent for later, sent in self._beats.items() if later > number}
        for watcher in self._watchers:
            self._presume(watcher)

    async def _answer(self, destruction: UUID, replica: UUID) -> None:
        await self._holders.dropped()
        if self._awaited.heard(destruction, replica):
            return
        try:
            await self._replicas.acknowledge(destruction, replica)
        except DependencyUnavailable:
            _log.warning("acknowledgement_failed")
