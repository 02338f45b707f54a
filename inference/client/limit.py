"""Concurrency limit: how many requests may be in flight, and the gate that keeps to it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from inference.client.clock import Clock

_OVERLOAD_FACTOR: Final = 0.5
_QUEUE_FACTOR: Final = 0.8
_MOST_ADVISED: Final = 30.0


class AdaptiveLimit:
    """Additive increase, multiplicative decrease (Chiu and Jain, 1989), up to a ceiling.

    An overload halves the limit, at most once for each round trip. Requests that queue on the server shrink it
    gently: if, over a limit's worth of answers, even the quickest took longer than the target above the quickest ever
    seen, a queue stands there to no purpose (the criterion of CoDel, Nichols and Jacobson, 2012). Otherwise each
    limit's worth of answers raises it by one.
    """

    def __init__(self, ceiling: int, *, busy: int = 1, target: float = 0.25) -> None:
        """Begins at the ceiling.

        Args:
            ceiling: Requests in flight at most.
            busy: Requests that keep every instance at work; a queue never shrinks the limit below.
            target: Seconds that a request may queue on the server.
        """
        self._target = target
        self._last_cut = float("-inf")
        self._ceiling = 0
        self._value = 0.0
        self._answers = 0
        self._quickest = float("inf")
        self.set_ceiling(ceiling, busy)

    @property
    def value(self) -> int:
        """Requests that may be in flight now."""
        return int(self._value)

    def set_ceiling(self, ceiling: int, busy: int) -> None:
        """Note what a server can carry that may be another one; what was learnt of load holds if it is the same."""
        before, self._ceiling = self._ceiling, max(ceiling, 1)
        self._busy = min(max(busy, 1), self._ceiling)
        if self._ceiling != before:
            self._value = float(self._ceiling)
        self._quickest_ever = float("inf")
        self._begin_round()

    def answered(self, seconds: float) -> None:
        """Note a response, and how long it took."""
        self._quickest_ever = min(self._quickest_ever, seconds)
        self._quickest = min(self._quickest, seconds)
        self._answers += 1
        if self._answers >= self.value:
            queued = self._quickest - self._quickest_ever
            if queued > self._target:
                self._value = min(self._value, max(self._value * _QUEUE_FACTOR, self._busy))
            else:
                self._value = min(self._value + 1, self._ceiling)
            self._begin_round()

    def overloaded(self, *, sent: float, now: float) -> None:
        """Note that the server refused for load, or did not answer, a request sent at a time.

        What was sent before the last cut says nothing about the limit after it.
        """
        if sent >= self._last_cut:
            self._value = max(self._value * _OVERLOAD_FACTOR, 1.0)
            self._last_cut = now
            self._begin_round()

    def _begin_round(self) -> None:
        self._answers = 0
        self._quickest = float("inf")


class GateFull(Exception):
    """No slot came free in time, or too many wait for one.

    Attributes:
        retry_after: When there may be one.
    """

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Gate:
    """Lets so many in at a time; those who wait are served in order, for a bounded time."""

    def __init__(self, clock: Clock, limit: AdaptiveLimit, most_waiting: int | None = None) -> None:
        """Open the gate.

        Args:
            clock: The process's clock.
            limit: How many may be inside.
            most_waiting: How many may wait for a slot; None for any number.
        """
        self.limit = limit
        self._most_waiting = most_waiting
        self._clock = clock
        self._inside = 0
        self._pace = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def inside(self) -> int:
        """How many are inside."""
        return self._inside

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._waiting)

    @asynccontextmanager
    async def slot(self, wait_seconds: float) -> AsyncIterator[None]:
        """Hold a slot for the time of the block.

        Args:
            wait_seconds: Longest wait for a slot.

        Raises:
            GateFull: there was none in time, or too many wait already.
        """
        await self._enter(wait_seconds)
        entered = self._clock.monotonic()
        try:
            yield
        finally:
            self._pace = self._clock.monotonic() - entered
            self._inside -= 1
            self.admit()

    def admit(self) -> None:
        """Let in those for whom there is a slot now; to be called when the limit has risen."""
        while self._waiting and self._inside < self.limit.value:
            slot = self._waiting.popleft()
            if not slot.done():
                self._inside += 1
                slot.set_result(None)

    async def _enter(self, wait_seconds: float) -> None:
        if self._inside < self.limit.value and not self._waiting:
            self._inside += 1
            return
        if self._most_waiting is not None and len(self._waiting) >= self._most_waiting:
            raise GateFull(f"{len(self._waiting)} wait already", self._clears_in())
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        timer = asyncio.ensure_future(self._clock.sleep(max(wait_seconds, 0.0)))
        try:
            await asyncio.wait((slot, timer), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._give_up(slot)
            raise
        finally:
            timer.cancel()
        if not slot.done():
            self._give_up(slot)
            raise GateFull("no slot came free in time", self._clears_in())

    def _give_up(self, slot: "asyncio.Future[None]") -> None:
        if slot in self._waiting:
            self._waiting.remove(slot)
        elif slot.done():
            # The slot came at the very moment at which its caller gave up.
            self._inside -= 1
            self.admit()

    def _clears_in(self) -> timedelta:
        """Return about how long those who wait still need."""
        rounds = 1 + len(self._waiting) / max(self.limit.value, 1)
        return timedelta(seconds=min(max(rounds * self._pace, 0.5), _MOST_ADVISED))
