"""Keeping load from hurting: a limit of requests in flight, a breaker, and a budget for retries. No network here."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from services.chassis.clock import Clock


class GateFull(Exception):
    """No place came free in time."""


class Gate:
    """Lets so many requests in at a time; those who wait are served in order, and not for ever.

    An overload halves the limit; each limit's worth of answers raises it by one again, up to where it began.
    """

    def __init__(self, limit: int, wait_seconds: float) -> None:
        """Opens the gate.

        Args:
            limit: Requests in flight at most.
            wait_seconds: Longest wait for a place.
        """
        self._most = limit
        self._wait_seconds = wait_seconds
        self._answers = 0
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.limit = limit

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Holds a place for the time of the block.

        Raises:
            GateFull: there was none in time.
        """
        await self._enter()
        try:
            yield
        finally:
            self._inside -= 1
            self._admit()

    def shrink(self) -> None:
        """Says that the server is overloaded."""
        self.limit = max(1, self.limit // 2)
        self._answers = 0

    def grow(self) -> None:
        """Says that the server answered."""
        self._answers += 1
        if self._answers >= self.limit and self.limit < self._most:
            self.limit += 1
            self._answers = 0
            self._admit()

    async def _enter(self) -> None:
        if self._inside < self.limit and not self._waiting:
            self._inside += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await place
        except BaseException as error:
            self._leave_queue(place)
            if isinstance(error, TimeoutError):
                raise GateFull from None
            raise

    def _leave_queue(self, place: asyncio.Future[None]) -> None:
        if place in self._waiting:
            self._waiting.remove(place)
        elif place.done() and not place.cancelled():
            # The place came at the very moment at which nobody wanted it any more.
            self._inside -= 1
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self._inside < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self._inside += 1
                place.set_result(None)


class Breaker:
    """Stops asking a server that fails, for a time that doubles while it goes on failing."""

    def __init__(self, clock: Clock, *, failures: int = 3, first: float = 0.5, longest: float = 5.0) -> None:
        """Closes the breaker.

        Args:
            clock: The process's clock.
            failures: In a row, that open it.
            first: Seconds that it stays open the first time.
            longest: Seconds that it stays open at most.
        """
        self._clock = clock
        self._failures = failures
        self._first = first
        self._longest = longest
        self._in_a_row = 0
        self._times_opened = 0
        self._open_until = float("-inf")

    def open_for(self) -> timedelta:
        """Returns how long it stays open; zero when requests may go."""
        return timedelta(seconds=max(0.0, self._open_until - self._clock.monotonic()))

    def succeed(self) -> None:
        """Notes an answer."""
        self._in_a_row = self._times_opened = 0

    def fail(self) -> None:
        """Notes a failure of the server; once it was open, a single one opens it again."""
        if self.open_for():
            return
        self._in_a_row += 1
        if self._in_a_row >= self._failures or self._times_opened:
            seconds = min(self._first * 2.0**self._times_opened, self._longest)
            self._open_until = self._clock.monotonic() + seconds
            self._times_opened += 1
            self._in_a_row = 0


class RetryBudget:
    """Keeps retries to a share of the requests, so that they cannot make an outage worse."""

    def __init__(self, *, share: float = 0.2, burst: float = 10.0) -> None:
        """Fills the budget.

        Args:
            share: Retries that each request pays for.
            burst: Retries that can be saved up.
        """
        self._share = share
        self._burst = burst
        self._saved = burst

    def earn(self) -> None:
        """Notes a request."""
        self._saved = min(self._burst, self._saved + self._share)

    def spend(self) -> bool:
        """Returns whether a retry may be made, and takes it from the budget."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True
