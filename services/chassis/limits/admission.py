"""Admission of calls: each has a place in its connection, and then in the share of its caller."""

from collections import Counter
from contextlib import AbstractAsyncContextManager, nullcontext
from types import TracebackType

from services.chassis.calls import Context, Method
from services.chassis.clock import Clock
from services.chassis.errors import DomainError, LimitReached, Status
from services.chassis.limits.shares import ShareLimits, Shares
from services.chassis.principal import Anonymous, Person, Service, current_principal

_STRANGERS = frozenset({Status.UNAUTHENTICATED, Status.PERMISSION_DENIED})


class Admission:
    """Lets calls into one process, over all connections of strangers."""

    def __init__(self, limits: ShareLimits, clock: Clock) -> None:
        self._limits = limits
        self._shares = Shares(limits, clock)
        self._connections: Counter[str] = Counter()

    def connection(self, method: Method, context: Context) -> "ConnectionPlace":
        """Return the place of one call in its connection, before it is known who makes it."""
        return ConnectionPlace(context.peer(), self._connections, self._shares, self._limits.connection_calls)

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
    """Place of a call in its connection; strangers who are refused are answered at the pace of one caller."""

    def __init__(self, peer: str, connections: Counter[str], shares: Shares, most: int) -> None:
        self._peer = peer
        self._connections = connections
        self._shares = shares
        self._most = most

    async def __aenter__(self) -> None:
        if self._connections[self._peer] >= self._most:
            raise LimitReached.of("connection", "calls at once", self._most)
        self._connections[self._peer] += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, DomainError) and error.status in _STRANGERS:
                await self._shares.slow_down(self._peer)
        finally:
            self._leave()

    def _leave(self) -> None:
        self._connections[self._peer] -= 1
        if not self._connections[self._peer]:
            del self._connections[self._peer]
