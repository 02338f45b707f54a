"""Shares of a process: how much of it one caller has at a time, so that none starves another.

A person is one caller whatever the number of their connections; a call without a person counts for its connection.
What is too much waits a moment, and is then refused with the delay after which to call again. A refusal waits as well:
a caller that repeats refused calls at once would keep the process as busy as with calls that are served.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from services.chassis.clock import Clock
from services.chassis.errors import LimitReached
from services.chassis.limits import (
    LONGEST_QUEUE_SECONDS,
    LONGEST_TURN_SECONDS,
    REFUSED_STRANGERS_PER_SECOND,
    RUNNING_CALLS,
    SMALL_MESSAGE_BYTES,
)
from services.chassis.limits.pace import Pace

_BURST_SECONDS = 1.0
_REMEMBERED = 1000
_STRANGERS = 4
_REFUSALS_PER_CALL = 4
"""How many refusals wait for each call that a caller may have in work; what is beyond is refused at once."""


@dataclass(frozen=True)
class ShareLimits:
    """What a caller may have of a process.

    Attributes:
        calls_per_second: Of a caller, in the long run.
        messages_per_second: Of a caller, in the long run, where they are small.
        calls_at_once: Of a caller, without streams: running and waiting.
        streams_at_once: Of a caller.
        connection_calls: Of a connection, streams included.
        process_calls: Of all callers together, streams included.
        running_calls: Of a caller, without streams: worked on at the same time.
        turn_seconds: How long a call waits because its caller is too fast, or a stream for a place.
        queue_seconds: How long a call waits for those of its caller that are worked on.
    """

    calls_per_second: float = 50.0
    messages_per_second: float = 400.0
    calls_at_once: int = 64
    streams_at_once: int = 64
    connection_calls: int = 256
    process_calls: int = 2000
    running_calls: int = RUNNING_CALLS
    turn_seconds: float = LONGEST_TURN_SECONDS
    queue_seconds: float = LONGEST_QUEUE_SECONDS

    @property
    def of_strangers(self) -> "ShareLimits":
        """What all who call without a person over one connection have together: it may be a gateway's."""
        return replace(
            self,
            calls_per_second=_STRANGERS * self.calls_per_second,
            calls_at_once=self.connection_calls,
            running_calls=_STRANGERS * self.running_calls,
        )


class Share:
    """What one caller has in work."""

    def __init__(self, limits: ShareLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._calls = Pace(limits.calls_per_second, _BURST_SECONDS)
        self._messages = Pace(limits.messages_per_second, _BURST_SECONDS)
        self._strangers = Pace(REFUSED_STRANGERS_PER_SECOND, _BURST_SECONDS)
        self._running = asyncio.Semaphore(limits.running_calls)
        self._streams = asyncio.Semaphore(limits.streams_at_once)
        self._waiting = 0
        self._refusals = 0
        self.held = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing has to be remembered of this caller."""
        now = self._clock.monotonic()
        return not (self.held or self._waiting or self._refusals) and self._calls.is_rested(now)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Hold a place for a call without streams.

        Raises:
            LimitReached: the caller has too many in work, or makes them too fast.
        """
        if self._waiting >= self._limits.calls_at_once:
            raise await self.refused("calls at once", self._limits.calls_at_once)
        self._waiting += 1
        try:
            await self._paced()
            most, seconds = self._limits.calls_at_once, self._limits.queue_seconds
            async with self._place(self._running, seconds, "calls at once", most):
                yield
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[None]:
        """Hold a place for a stream.

        Raises:
            LimitReached: the caller has too many open, or opens them too fast.
        """
        await self._paced()
        most, seconds = self._limits.streams_at_once, self._limits.turn_seconds
        async with self._place(self._streams, seconds, "streams at once", most):
            yield

    async def message(self, size: int) -> None:
        """Wait until the caller's next message of a stream may be looked at: small ones cost as much as large ones."""
        cost = 1 - size / SMALL_MESSAGE_BYTES
        if cost > 0 and (delay := self._messages.charge(cost, self._clock.monotonic())):
            await self._clock.sleep(delay)

    async def refused(self, what: str, most: float) -> LimitReached:
        """Return the refusal of what is too much, a moment later."""
        if self._refusals < _REFUSALS_PER_CALL * self._limits.calls_at_once:
            self._refusals += 1
            try:
                await self._clock.sleep(self._limits.turn_seconds)
            finally:
                self._refusals -= 1
        return LimitReached.of("caller", what, most)

    async def slow_down(self) -> None:
        """Wait until the caller's next answer is due, a moment at most."""
        delay = self._strangers.charge(1, self._clock.monotonic())
        if delay:
            await self._clock.sleep(min(delay, self._limits.turn_seconds))

    async def _paced(self) -> None:
        now, most = self._clock.monotonic(), self._limits.calls_per_second
        if self._calls.delay(now) > self._limits.turn_seconds:
            raise await self.refused("calls a second", most)
        if delay := self._calls.charge(1, now):
            await self._clock.sleep(delay)

    @asynccontextmanager
    async def _place(self, places: asyncio.Semaphore, seconds: float, what: str, most: int) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                await places.acquire()
        except TimeoutError:
            raise LimitReached.of("caller", what, most) from None
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1
            places.release()


class Shares:
    """The shares of all callers of a process."""

    def __init__(self, limits: ShareLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._shares: dict[str, Share] = {}
        self._held = 0

    @property
    def remembered(self) -> int:
        """How many callers something is kept about."""
        return len(self._shares)

    @asynccontextmanager
    async def hold(self, caller: str, *, is_stream: bool, is_person: bool = True) -> AsyncIterator[None]:
        """Hold a place in the process for one call; what is read inside is charged to its caller.

        Raises:
            LimitReached: the caller has its share, or the process is full.
        """
        share, most = self._of(caller, is_person=is_person), self._limits.process_calls
        if self._held >= most and share.held * len(self._shares) >= most:
            raise await share.refused("calls of this service at once", most)
        async with share.stream() if is_stream else share.call():
            self._held += 1
            _share.set(share)
            try:
                yield
            finally:
                self._held -= 1

    async def slow_down(self, caller: str) -> None:
        """Wait until an answer to a call that was refused is due."""
        await self._of(caller, is_person=False).slow_down()

    def _of(self, caller: str, *, is_person: bool) -> Share:
        share = self._shares.get(caller)
        if share is None:
            if len(self._shares) >= _REMEMBERED:
                self._shares = {name: each for name, each in self._shares.items() if not each.is_idle}
            limits = self._limits if is_person else self._limits.of_strangers
            share = self._shares[caller] = Share(limits, self._clock)
        return share


_share: ContextVar[Share] = ContextVar("share")


def current_share() -> Share | None:
    """Return the share that the call of this task is charged to; None for a service's, and outside a call."""
    return _share.get(None)
