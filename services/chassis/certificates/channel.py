"""Channel that outlives its certificate: calls move to a connection under the new one, and the old one's end in peace.

gRPC has no channel credentials that change. So a second channel is opened under the new certificate; once the other
side has taken it, calls that begin go there. Those on the first end by themselves, as each has a deadline; streams
without one are ended after a while, with UNAVAILABLE, and their reader begins anew.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, TypeVar

import grpc

from services.chassis.certificates.files import Identity
from services.chassis.certificates.renewal import Renewed
from services.chassis.clock import Clock, wait_within

LINGER_SECONDS = 60.0
"""How long streams without a deadline stay under the old certificate."""

ResponseT = TypeVar("ResponseT")

_Stream: TypeAlias = "grpc.aio.UnaryStreamCall[Any, ResponseT] | grpc.aio.StreamStreamCall[Any, ResponseT]"
_Kind: TypeAlias = Literal["unary_unary", "unary_stream", "stream_unary", "stream_stream"]


class LongStreams:
    """Streams of a connection that end only when the connection does."""

    def __init__(self) -> None:
        self._calls: set[object] = set()
        self._are_over = False

    def watched(self, call: "_Stream[ResponseT]") -> AsyncIterator[ResponseT]:
        """Yield what a stream brings, until it ends or has to."""
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return self._until_over(call)

    def end(self) -> None:
        """End all; their readers are told UNAVAILABLE."""
        self._are_over = True
        for call in tuple(self._calls):
            call.cancel()  # type: ignore[attr-defined]

    async def _until_over(self, call: "_Stream[ResponseT]") -> AsyncIterator[ResponseT]:
        try:
            async for response in call:
                yield response
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._are_over or (task is not None and task.cancelling()):
                raise
            raise _begin_anew() from None


@dataclass(frozen=True)
class _Method:
    kind: _Kind
    arguments: tuple[Any, ...]
    options: tuple[tuple[str, Any], ...]


class _Connection:
    """A channel under one certificate, and how many calls are on it."""

    def __init__(self, open_: Callable[[LongStreams], grpc.aio.Channel]) -> None:
        self._streams = LongStreams()
        self.channel = open_(self._streams)
        self._methods: dict[_Method, Callable[..., Any]] = {}
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def call(self, method: _Method, *arguments: Any, **options: Any) -> Any:
        if method not in self._methods:
            make = getattr(self.channel, method.kind)
            self._methods[method] = make(*method.arguments, **dict(method.options))
        call = self._methods[method](*arguments, **options)
        self._count += 1
        self._idle.clear()
        call.add_done_callback(self._ended)
        return call

    async def wind_up(self, clock: Clock) -> None:
        """Let the calls end, and close."""
        await wait_within(self._idle, LINGER_SECONDS, clock)
        self._streams.end()
        await self._idle.wait()
        await self.channel.close()

    def _ended(self, _call: object) -> None:
        self._count -= 1
        if not self._count:
            self._idle.set()


class RenewingChannel(grpc.aio.Channel):
    """A channel whose calls are made under the newest certificate."""

    def __init__(self, open_: Callable[[LongStreams], grpc.aio.Channel], own: Renewed[Identity], clock: Clock) -> None:
        """Open the first connection.

        Args:
            open_: Opens a channel under the certificate of the moment; its interceptors hand over long streams.
            own: The certificate.
            clock: Says how long things may take.
        """
        self._open = open_
        self._clock = clock
        self._current = _Connection(open_)
        self._old: dict[asyncio.Task[None], _Connection] = {}
        self._moving: asyncio.Task[None] | None = None
        self._unsubscribe = own.subscribe(self._renew)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """Close every connection; calls that still go on are cancelled after the grace."""
        self._unsubscribe()
        tasks = [*self._old, *([self._moving] if self._moving else [])]
        connections = [*self._old.values(), self._current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(each.channel.close(grace) for each in connections))

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # gRPC's own
        """Return the state of the connection that calls take."""
        return self._current.channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait for another state of the connection that calls take."""
        await self._current.channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until calls can be made."""
        await self._current.channel.channel_ready()

    def unary_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Return what calls a method of one request and one response."""
        return self._calling("unary_unary", method, *arguments, **options)

    def unary_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Return what calls a method of one request and many responses."""
        return self._calling("unary_stream", method, *arguments, **options)

    def stream_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Return what calls a method of many requests and one response."""
        return self._calling("stream_unary", method, *arguments, **options)

    def stream_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Return what calls a method of many requests and many responses."""
        return self._calling("stream_stream", method, *arguments, **options)

    def _calling(self, kind: _Kind, *arguments: Any, **options: Any) -> Callable[..., Any]:
        method = _Method(kind, arguments, tuple(sorted(options.items())))

        def call(*arguments: Any, **options: Any) -> Any:
            return self._current.call(method, *arguments, **options)

        return call

    def _renew(self) -> None:
        if self._moving is not None:
            self._moving.cancel()
        self._moving = asyncio.get_running_loop().create_task(self._move())

    async def _move(self) -> None:
        """Change over once the other side has taken the certificate: until it knows a new authority, it does not."""
        fresh = _Connection(self._open)
        try:
            await fresh.channel.channel_ready()
        except asyncio.CancelledError:
            await fresh.channel.close()
            raise
        old, self._current = self._current, fresh
        task = asyncio.create_task(old.wind_up(self._clock))
        self._old[task] = old
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        with contextlib.suppress(KeyError):
            del self._old[task]


def _begin_anew() -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE,
        grpc.aio.Metadata(),
        grpc.aio.Metadata(),
        details="the certificate of this connection was renewed: begin the stream anew",
    )
