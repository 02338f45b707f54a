"""Hub of revocations: what is destroyed, from the database to every stream of WatchRevocations of this process."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import structlog

from services.chassis.clock import Clock
from services.chassis.errors import DependencyUnavailable
from services.retention.domain.revocation import Revocation
from services.retention.errors import RevocationsInterrupted
from services.retention.ports import Store

_QUEUE = 256
_RETRY_SECONDS = 0.5

_log = structlog.stdlib.get_logger()
_Item = Sequence[Revocation]


class RevocationHub:
    """Implements `ports.RevocationFeed`: one listener for all streams. `run` is a task of the process.

    A stream that cannot be served in full is ended rather than continued with a gap: its holder of keys then drops
    everything.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._subscribers: set[asyncio.Queue[_Item | None]] = set()
        self._listening = False

    async def run(self) -> None:
        """Listen, until cancelled."""
        while True:
            try:
                await self._relay()
            except DependencyUnavailable:
                _log.warning("revocations_interrupted")
            finally:
                self._end_all()
            await self._clock.sleep(_RETRY_SECONDS)

    async def watch(self) -> AsyncIterator[_Item]:
        """Yield what is destroyed from now on; an empty item at once and at least each second.

        Raises:
            DependencyUnavailable: there is a gap, or nothing can be told.
        """
        if not self._listening:
            raise RevocationsInterrupted.now()
        queue: asyncio.Queue[_Item | None] = asyncio.Queue(_QUEUE)
        self._subscribers.add(queue)
        try:
            yield ()
            while (item := await queue.get()) is not None:
                yield item
        finally:
            self._subscribers.discard(queue)
        raise RevocationsInterrupted.now()

    async def _relay(self) -> None:
        async for item in self._store.revocations():
            self._listening = True
            for queue in list(self._subscribers):
                self._hand(queue, item)

    def _hand(self, queue: asyncio.Queue[_Item | None], item: _Item) -> None:
        try:
            queue.put_nowait(item)
        except asyncio.QueueFull:
            self._end(queue)

    def _end_all(self) -> None:
        self._listening = False
        for queue in list(self._subscribers):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[_Item | None]) -> None:
        self._subscribers.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
