"""Fair turns at what there are few places of: connections to the database, requests to the object store, threads.

Each caller has a queue of its own, and the queues are served one after the other, so that what one has waiting is in
front of no other's. While others come as well, one caller has a part of the places at most, so that they mostly find
one free; one who is alone has them all.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from services.chassis.limits.shares import Share, current_share

_Turn: TypeAlias = "asyncio.Future[None]"

_Caller: TypeAlias = Share | None
"""None is for work that no person asked for, a sweep's or another service's: it has no limit but the places."""


class FairTurns:
    """Turns at a number of places; not safe for two threads."""

    def __init__(self, places: int, *, shared: int | None = None) -> None:
        """Begin.

        Args:
            places: How many turns there are at a time.
            shared: How many of them one caller has at most while others come as well; absent means a half.
        """
        self._places = places
        self._shared = shared or max(1, places // 2)
        self._taken: Counter[_Caller] = Counter()
        self._waiting: OrderedDict[_Caller, deque[_Turn]] = OrderedDict()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold a place for the block, once it is the turn of the caller of this task."""
        caller = current_share()
        await self._enter(caller)
        try:
            yield
        finally:
            self._leave(caller)

    async def _enter(self, caller: _Caller) -> None:
        if caller not in self._waiting and self._has_place(caller):
            self._taken[caller] += 1
            return
        turn: _Turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._give_up(caller, turn)
            raise

    def _leave(self, caller: _Caller) -> None:
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]
        self._admit()

    def _admit(self) -> None:
        """Give the free places away, one to each caller in turn."""
        while served := [caller for caller in self._waiting if self._has_place(caller)][:1]:
            turn = self._waiting[served[0]].popleft()
            self._waiting.move_to_end(served[0])
            self._forget(served[0])
            if not turn.cancelled():
                self._taken[served[0]] += 1
                turn.set_result(None)

    def _give_up(self, caller: _Caller, turn: _Turn) -> None:
        if not turn.cancelled():  # it was given in the same moment
            self._leave(caller)
        elif turn in self._waiting.get(caller, ()):
            self._waiting[caller].remove(turn)
            self._forget(caller)

    def _forget(self, caller: _Caller) -> None:
        if not self._waiting[caller]:
            del self._waiting[caller]

    def _has_place(self, caller: _Caller) -> bool:
        if self._taken.total() >= self._places:
            return False
        return caller is None or self._taken[caller] < self._shared or caller.is_alone
