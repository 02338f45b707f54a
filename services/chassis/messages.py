"""Size of requests: a message that is too large is answered with a reason, where gRPC alone gives none.

A handler of a stream meets the error where it reads the message. A single request is read before there is a handler, so
its reader leaves a mark in its place, and the error is raised inside the chain.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.chassis.errors import MessageTooLarge
from services.chassis.limits import MAX_MESSAGE_BYTES

Reader: TypeAlias = Callable[[bytes], Any]


@dataclass(frozen=True)
class _TooLarge:
    """In place of a request.

    Attributes:
        size: Of the request, in bytes.
    """

    size: int


def refusing(read: Reader | None) -> Reader:
    """Return the reader of a stream's messages, which raises `MessageTooLarge`."""
    mark = marking(read)

    def refuse(data: bytes) -> Any:
        request = mark(data)
        _check(request)
        return request

    return refuse


def marking(read: Reader | None) -> Reader:
    """Return the reader of a single request, which gives a mark for one that is too large."""

    def mark(data: bytes) -> Any:
        if len(data) > MAX_MESSAGE_BYTES:
            return _TooLarge(len(data))
        return data if read is None else read(data)

    return mark


def checked(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a handler that returns its response, and is never called with a mark."""

    async def check(request: Any, context: Any) -> Any:
        _check(request)
        return await behaviour(request, context)

    return check


def checked_generator(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], AsyncIterator[Any]]:
    """Return a handler that yields its responses, and is never called with a mark."""

    async def check(request: Any, context: Any) -> AsyncIterator[Any]:
        _check(request)
        async with aclosing(behaviour(request, context)) as responses:
            async for response in responses:
                yield response

    return check


def _check(request: object) -> None:
    if isinstance(request, _TooLarge):
        raise MessageTooLarge.of(request.size, MAX_MESSAGE_BYTES)
