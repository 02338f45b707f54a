"""The call that is running, and how an interceptor wraps around it.

An interceptor here is one async context manager around the handler, whatever the kind of RPC: what stands
before its `yield` runs before the handler, and an exception of the handler passes through it. Wrapped
handlers are kept per method, so a call pays for its own work only.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import grpc

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
MethodHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Behaviour: TypeAlias = Callable[[Any, Context], Any]


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC of a server.

    Attributes:
        name: Full RPC name with its leading slash.
        streams_responses: Whether an answer may go on for as long as the caller listens.
    """

    name: str
    streams_responses: bool


@dataclass(slots=True)
class Call:
    """What the chain learns about one RPC.

    Attributes:
        method: Full RPC name with its leading slash.
        request_id: The caller's, or a new one.
        code: gRPC status name, once known.
        reason: ErrorReason without prefix, of a refused or failed call.
        caller: Kind of caller, once known.
        expires_at: When the work must be done, on the event loop's clock in seconds; None without a deadline.
    """

    method: str
    request_id: str
    code: str = "OK"
    reason: str | None = None
    caller: str | None = None
    expires_at: float | None = None


_call: ContextVar[Call] = ContextVar("call")


def current_call() -> Call | None:
    """Returns the RPC this task serves, or None outside one."""
    return _call.get(None)


def enter_call(call: Call) -> None:
    """Makes `call` the current one for the rest of this asyncio task."""
    _call.set(call)


def seconds_left() -> float | None:
    """Returns the time in seconds in which the current RPC must be done, or None without a deadline."""
    call = current_call()
    if call is None or call.expires_at is None:
        return None
    return call.expires_at - asyncio.get_running_loop().time()


class Around(Protocol):
    """Makes the context manager that surrounds one call of a method."""

    def __call__(self, method: Method, context: Context) -> AbstractAsyncContextManager[None]:
        """Returns the context manager for one call."""


class AroundInterceptor(grpc.aio.ServerInterceptor):
    """Puts an async context manager around every handler, for all four kinds of RPC."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._wrapped: dict[str, tuple[MethodHandler, MethodHandler]] = {}

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[MethodHandler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "MethodHandler | None":
        """Returns the next handler with this interceptor around it."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is None or known[0] is not handler:
            wrapped = _wrap(handler, Method(method, handler.response_streaming), self._around)
            known = self._wrapped[method] = (handler, wrapped)
        return known[1]


def _wrap(handler: MethodHandler, method: Method, around: Around) -> MethodHandler:
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
    surround = _around_generator if inspect.isasyncgenfunction(behaviour) else _around_coroutine
    return make(
        surround(behaviour, method, around),
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )


def _around_coroutine(behaviour: Behaviour, method: Method, around: Around) -> Behaviour:
    """For handlers that return their response, or write responses to the context."""

    async def surrounded(request: Any, context: Context) -> Any:
        async with around(method, context):
            return await behaviour(request, context)

    return surrounded


def _around_generator(behaviour: Behaviour, method: Method, around: Around) -> Behaviour:
    """For handlers that yield their responses."""

    async def surrounded(request: Any, context: Context) -> AsyncIterator[Any]:
        async with around(method, context), aclosing(behaviour(request, context)) as responses:
            async for response in responses:
                yield response

    return surrounded
