"""Call that is running, and how the links of the chain wrap around it.

A link is written once for all four kinds of RPC: either a function that runs before the handler, or an async
context manager around it. All links are one interceptor to gRPC, and wrapped handlers are kept per method, so
a call pays for the links' own work only.
"""

import asyncio
import inspect
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import grpc

from services.chassis import messages

PLUMBING = "/grpc."
"""What begins so are health checks and reflection."""

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
MethodHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Behaviour: TypeAlias = Callable[[Any, Context], Any]


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC of a server.

    Attributes:
        name: Full RPC name with its leading slash.
        streams_responses: Whether an answer may go on for as long as the caller listens.
        streams_requests: Whether the caller may go on sending after its answer is known.
    """

    name: str
    streams_responses: bool
    streams_requests: bool

    @property
    def is_watch(self) -> bool:
        """Whether it tells of changes for as long as its caller's token lasts; one of health has no token."""
        return "/Watch" in self.name and not self.name.startswith(PLUMBING)


@dataclass(slots=True)
class Call:
    """What the chain learns about one RPC.

    Attributes:
        method: Full RPC name with its leading slash.
        request_id: The caller's, or a new one.
        metadata: What the caller sent along, without binary values.
        code: gRPC status name, once known.
        reason: ErrorReason without prefix, of a refused or failed call.
        caller: Kind of caller, once known.
        expires_at: When the work must be done, on the event loop's clock in seconds; None without a deadline.
    """

    method: str
    request_id: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    code: str = "OK"
    reason: str | None = None
    caller: str | None = None
    expires_at: float | None = None


_call: ContextVar[Call] = ContextVar("call")


def current_call() -> Call | None:
    """Return the RPC this task serves, or None outside one."""
    return _call.get(None)


def enter_call(call: Call) -> None:
    """Make `call` the current one for the rest of this asyncio task."""
    _call.set(call)


def seconds_left() -> float | None:
    """Return the time in seconds in which the current RPC must be done, or None without a deadline."""
    call = current_call()
    if call is None or call.expires_at is None:
        return None
    return call.expires_at - asyncio.get_running_loop().time()


@contextmanager
def own_deadline(seconds: float) -> Iterator[None]:
    """Give the calls of the block a deadline of their own, instead of what is left of the RPC's.

    For what must be put in order after the caller's time is up or the caller has gone, and for work that an RPC starts
    and does not wait for.
    """
    call = current_call() or Call(method="", request_id=uuid.uuid4().hex)
    token = _call.set(replace(call, expires_at=asyncio.get_running_loop().time() + seconds))
    try:
        yield
    finally:
        _call.reset(token)


@dataclass(frozen=True, slots=True)
class Before:
    """A link that runs before the handler and may refuse the call by raising."""

    enter: Callable[[Method, Context], None]


@dataclass(frozen=True, slots=True)
class Around:
    """A link that surrounds the handler and sees how it ends."""

    surround: Callable[[Method, Context], AbstractAsyncContextManager[None]]


Link: TypeAlias = Before | Around


class LinksInterceptor(grpc.aio.ServerInterceptor):
    """Puts links around every handler, outermost first."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._links = links
        self._wrapped: dict[str, tuple[MethodHandler, MethodHandler]] = {}

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[MethodHandler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "MethodHandler | None":
        """Return the handler with the links around it."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is None or known[0] is not handler:
            wrapped = _wrap(handler, _described(method, handler), self._links)
            known = self._wrapped[method] = (handler, wrapped)
        return known[1]


def _described(name: str, handler: MethodHandler) -> Method:
    return Method(name, streams_responses=handler.response_streaming, streams_requests=handler.request_streaming)


def _wrap(handler: MethodHandler, method: Method, links: Sequence[Link]) -> MethodHandler:
    behaviour: Any
    make: Callable[..., MethodHandler]
    if handler.request_streaming and handler.response_streaming:
        behaviour, make = handler.stream_stream, grpc.stream_stream_rpc_method_handler
    elif handler.request_streaming:
        behaviour, make = handler.stream_unary, grpc.stream_unary_rpc_method_handler
    elif handler.response_streaming:
        behaviour, make = handler.unary_stream, grpc.unary_stream_rpc_method_handler
    else:
        behaviour, make = handler.unary_unary, grpc.unary_unary_rpc_method_handler
    yields = inspect.isasyncgenfunction(behaviour)
    read = handler.request_deserializer
    if handler.request_streaming:
        read = messages.refusing(read)
        behaviour = messages.paced_generator(behaviour) if yields else messages.paced(behaviour)
    else:
        read = messages.marking(read)
        behaviour = messages.checked_generator(behaviour) if yields else messages.checked(behaviour)
    for link in reversed(links):
        behaviour = _linked_generator(behaviour, method, link) if yields else _linked(behaviour, method, link)
    return make(
        behaviour,
        request_deserializer=read,
        response_serializer=handler.response_serializer,
    )


def _linked(behaviour: Behaviour, method: Method, link: Link) -> Behaviour:
    """For handlers that return their response, or write responses to the context."""

    async def entered(request: Any, context: Context) -> Any:
        link.enter(method, context)  # type: ignore[union-attr]
        return await behaviour(request, context)

    async def surrounded(request: Any, context: Context) -> Any:
        async with link.surround(method, context):  # type: ignore[union-attr]
            return await behaviour(request, context)

    return entered if isinstance(link, Before) else surrounded


def _linked_generator(behaviour: Behaviour, method: Method, link: Link) -> Behaviour:
    """For handlers that yield their responses."""

    async def entered(request: Any, context: Context) -> AsyncIterator[Any]:
        link.enter(method, context)  # type: ignore[union-attr]
        async with aclosing(behaviour(request, context)) as responses:
            async for response in responses:
                yield response

    async def surrounded(request: Any, context: Context) -> AsyncIterator[Any]:
        async with link.surround(method, context), aclosing(behaviour(request, context)) as responses:  # type: ignore[union-attr]
            async for response in responses:
                yield response

    return entered if isinstance(link, Before) else surrounded
