"""Admission of calls: each has a place in its connection, and then in the share of its caller."""

from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from types import TracebackType

from services.chassis.calls import Context, Method, seconds_left
from services.chassis.clock import Clock
from services.chassis.errors import DomainError, LimitReached, Status
from services.chassis.gauges import Reading
from services.chassis.limits.shares import Share, ShareLimits, Shares, current_share
from services.chassis.metrics import RPC_HELD, RPC_LIMIT
from services.chassis.principal import Anonymous, Person, Service, current_principal

_STRANGERS = frozenset({Status.UNAUTHENTICATED, Status.PERMISSION_DENIED})
_ANSWER_SECONDS = 0.1
"""Before its caller gives it up, a refused call is answered in any case."""


class Admission:
    """Lets calls into one process, over all connections of strangers."""

    def __init__(self, limits: ShareLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._shares = Shares(limits, clock)
        self._connections: Counter[str] = Counter()

    async def look(self) -> Iterable[Reading]:
        """Return how many calls are in work, and may be; a look of the process's gauges."""
        return [Reading(RPC_HELD, self._shares.held), Reading(RPC_LIMIT, self._limits.process_calls)]

    def connection(self, method: Method, context: Context) -> "ConnectionPlace":
        """Return the place of one call in its connection, before it is known who makes it."""
        most = self._limits.connection_calls
        return ConnectionPlace(context.peer(), self._connections, self._shares, self._clock, most)

    def caller(self, method: Method, context: Context) -> AbstractAsyncContextManager[None]:
        """Return the place of one call in the share of its caller, who is known; a service has no limits."""
        is_stream = method.streams_requests or method.streams_responses
        match current_principal():
            case Service():
                return nullcontext()
            case Anonymous():
                return self._shares.hold(context.peer(), is_stream=is_stream, is_person=False)
            case Person(subject=subject):
                return self._shares.hold(subject, is_stream=is_stream)
            case known:
                return self._shares.hold(f"{type(known).__name__} {known.name}", is_stream=is_stream)


class ConnectionPlace:
    """Place of a call in its connection; answers to calls that are refused come at the pace of their caller."""

    def __init__(self, peer: str, connections: Counter[str], shares: Shares, clock: Clock, most: int) -> None:
        self._peer = peer
        self._connections = connections
        self._shares = shares
        self._clock = clock
        self._most = most

    async def __aenter__(self) -> None:
        # Until it is known who calls: what is refused before is charged to the connection.
        share = self._shares.enter(self._peer, is_person=False)
        if self._connections[self._peer] >= self._most:
            await self._slow_down(share)
            raise LimitReached.of("connection", "calls at once", self._most)
        self._connections[self._peer] += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        share = current_share()
        if share is not None and _is_refusal(error):
            await self._slow_down(share)

    async def _slow_down(self, share: Share) -> None:
        """Wait until the answer is due, or the time of the call is nearly up."""
        delay, left = share.refusal_delay(), seconds_left()
        if delay := delay if left is None else min(delay, left - _ANSWER_SECONDS):
            await self._clock.sleep(delay)

    def _leave(self) -> None:
        self._connections[self._peer] -= 1
        if not self._connections[self._peer]:
            del self._connections[self._peer]


def _is_refusal(error: BaseException | None) -> bool:
    return isinstance(error, LimitReached) or (isinstance(error, DomainError) and error.status in _STRANGERS)
