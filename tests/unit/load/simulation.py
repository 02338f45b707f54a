"""A world in which time passes only when no task has anything to do, and servers whose speed is known."""

import asyncio
import heapq
from collections.abc import Coroutine
from itertools import count
from typing import TypeVar

from inference.load.harness import Outcome

T = TypeVar("T")
_TURNS = 6  # turns of the event loop after which everybody who could go on has gone on


class SimulatedClock:
    """Jumps to the next sleeper as soon as everybody sleeps or waits for one who does."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + max(seconds, 0.0), next(self._order), woken))
        await woken

    async def run(self, story: Coroutine[None, None, T]) -> T:
        """Lets a story happen to its end."""
        task = asyncio.ensure_future(story)
        while not task.done():
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if self._sleepers and not task.done():
                self._now, _, woken = heapq.heappop(self._sleepers)
                if not woken.done():
                    woken.set_result(None)
        return task.result()


class QueueServer:
    """Serves one request after the other, each in the same time; stands still in between if told to."""

    def __init__(self, clock: SimulatedClock, service_seconds: float, *, servers: int = 1) -> None:
        self._clock = clock
        self._service_seconds = service_seconds
        self._free_at = [0.0] * servers
        self._stall = (0.0, 0.0)
        self.refuses_beyond = float("inf")

    def stand_still(self, start: float, end: float) -> None:
        self._stall = (start, end)

    async def send(self, number: int) -> Outcome:
        now = self._clock.monotonic()
        if heapq.nsmallest(1, self._free_at)[0] - now > self.refuses_beyond:
            return Outcome.REFUSED
        start = max(now, heapq.heappop(self._free_at))
        begins, ends = self._stall
        done = start + self._service_seconds
        if start < ends and done > begins:
            done = ends + self._service_seconds
        heapq.heappush(self._free_at, done)
        await self._clock.sleep(done - now)
        return Outcome.ANSWERED
