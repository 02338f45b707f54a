"""Shares of a process: how much of it one caller has at a time, so that none starves another.

A person is one caller whatever the number of their connections; a call without a person counts for its connection.
What is too much waits a moment, and is then refused with the delay after which to call again. Answers to refused calls
come at a pace as well: a caller that repeats them at once would keep the process as busy as with calls that are served.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from services.chassis.clock import Clock
from services.chassis.errors import LimitReached
from services.chassis.limits import (
    CHUNK_BYTES,
    LINGERING_STREAMS,
    LONGEST_QUEUE_SECONDS,
    LONGEST_REFUSAL_SECONDS,
    LONGEST_TURN_SECONDS,
    REFUSALS_PER_SECOND,
    RUNNING_CALLS,
    SMALL_MESSAGE_BYTES,
)
from services.chassis.limits.pace import Pace

_BURST_SECONDS = 1.0
_REMEMBERED = 1000
_STARTS = 4
"""How many times as fast as in the long run calls of a caller begin: what they may make at once is spread a little."""
_MESSAGES_AT_ONCE = 8
_BYTES_AT_ONCE = 4 * CHUNK_BYTES
_COMPANY_SECONDS = 2.0
_STRANGERS = 4


@dataclass(frozen=True)
class ShareLimits:
    """What a caller may have of a process.

    Attributes:
        calls_per_second: Of a caller, in the long run.
        messages_per_second: Of a caller, in the long run, where they are small.
        bytes_per_second: Of a caller, in streams, while others call as well.
        starts_at_once: Calls of a caller that begin in the same moment; the others follow some milliseconds apart.
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
    bytes_per_second: float = 8.0 * 1024 * 1024
    starts_at_once: int = 4
    calls_at_once: int = 64
    streams_at_once: int = 16
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


class Company:
    """Persons who came lately; not safe for two threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._came_at: OrderedDict[Share, float] = OrderedDict()

    def note(self, share: "Share") -> None:
        """Remember that a person came, and forget those who have not for a while."""
        now = self._clock.monotonic()
        while self._came_at and next(iter(self._came_at.values())) <= now - _COMPANY_SECONDS:
            self._came_at.popitem(last=False)
        self._came_at[share] = now
        self._came_at.move_to_end(share)

    def is_alone(self, share: "Share") -> bool:
        """Tells whether no other person came lately."""
        return not self._came_at.keys() - {share}


class Share:
    """What one caller has in work."""

    def __init__(self, limits: ShareLimits, clock: Clock, company: Company) -> None:
        self._limits = limits
        self._clock = clock
        self._company = company
        self._calls = Pace(limits.calls_per_second, _BURST_SECONDS)
        starts = _STARTS * limits.calls_per_second
        self._starts = Pace(starts, limits.starts_at_once / starts)
        self._messages = Pace(limits.messages_per_second, _MESSAGES_AT_ONCE / limits.messages_per_second)
        self._bytes = Pace(limits.bytes_per_second, _BYTES_AT_ONCE / limits.bytes_per_second)
        self._refusals = Pace(REFUSALS_PER_SECOND, _BURST_SECONDS)
        self._running = asyncio.Semaphore(limits.running_calls)
        self._streams = asyncio.Semaphore(limits.streams_at_once)
        self._spread = 0.0
        self._waiting = 0
        self._lingering = 0
        self.held = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing has to be remembered of this caller."""
        now = self._clock.monotonic()
        is_free = not (self.held or self._waiting or self._lingering)
        return is_free and self._calls.is_rested(now) and self._refusals.is_rested(now)

    @property
    def is_alone(self) -> bool:
        """Whether no other person came lately, so that there is none to be in the way of."""
        return self._company.is_alone(self)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Hold a place for a call without streams.

        Raises:
            LimitReached: the caller has too many in work, or makes them too fast.
        """
        if self._waiting >= self._limits.calls_at_once:
            raise LimitReached.of("caller", "calls at once", self._limits.calls_at_once)
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
        now, cost = self._clock.monotonic(), 1 - size / SMALL_MESSAGE_BYTES
        self._company.note(self)
        delay = self._messages.charge(cost, now) if cost > 0 else 0.0
        if not self.is_alone:
            delay = max(delay, self._bytes.charge(size, now))
        if delay:
            await self._clock.sleep(delay)

    def refusal_delay(self) -> float:
        """Return the seconds after which the caller's next refused call is to be answered."""
        now = self._clock.monotonic()
        if self._refusals.delay(now) < LONGEST_REFUSAL_SECONDS:
            return self._refusals.charge(1, now)
        # There are more: spread over the time, since what is answered together is asked for anew together.
        self._spread = (self._spread + 1 / REFUSALS_PER_SECOND) % LONGEST_REFUSAL_SECONDS
        return (LONGEST_REFUSAL_SECONDS + self._spread) / 2

    @contextmanager
    def lingering(self) -> Iterator[bool]:
        """Say whether a stream that was answered is still read; of more than a few at a time none is."""
        may_linger = self._lingering < LINGERING_STREAMS
        self._lingering += may_linger
        try:
            yield may_linger
        finally:
            self._lingering -= may_linger

    async def _paced(self) -> None:
        now, most = self._clock.monotonic(), self._limits.calls_per_second
        if self._calls.delay(now) > self._limits.turn_seconds:
            raise LimitReached.of("caller", "calls a second", most)
        if delay := max(self._calls.charge(1, now), self._starts.charge(1, now)):
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
        self._company = Company(clock)
        self._shares: dict[str, Share] = {}
        self._held = 0

    @property
    def held(self) -> int:
        """How many calls of all callers are in work."""
        return self._held

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
        share, most = self.enter(caller, is_person=is_person), self._limits.process_calls
        if self._held >= most and share.held * self._holders() >= most:
            raise LimitReached.of("caller", "calls of this service at once", most)
        if is_person:
            self._company.note(share)
        async with share.stream() if is_stream else share.call():
            self._held += 1
            try:
                yield
            finally:
                self._held -= 1

    def enter(self, caller: str, *, is_person: bool = True) -> Share:
        """Make the share of a caller the current one of this task, and return it."""
        share = self._of(caller, is_person=is_person)
        _share.set(share)
        return share

    def _holders(self) -> int:
        return sum(1 for share in self._shares.values() if share.held)

    def _of(self, caller: str, *, is_person: bool) -> Share:
        share = self._shares.get(caller)
        if share is None:
            if len(self._shares) >= _REMEMBERED:
                self._shares = {name: each for name, each in self._shares.items() if not each.is_idle}
            limits = self._limits if is_person else self._limits.of_strangers
            share = self._shares[caller] = Share(limits, self._clock, self._company)
        return share


_share: ContextVar[Share] = ContextVar("share")


def current_share() -> Share | None:
    """Return the share that the call of this task is charged to; None for a service's, and outside a call."""
    return _share.get(None)
