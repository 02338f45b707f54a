"""Requests as bytes: one that is too large or no message at all is answered with a reason, where gRPC gives none.

A handler of a stream meets the error where it reads the message. A single request is read before there is a handler, so
its reader leaves the error in its place, and it is raised inside the chain.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf.message import DecodeError

from services.chassis.errors import DeadlineExceeded, DomainError, FieldInvalid, MessageTooLarge
from services.chassis.limits import FIRST_MESSAGE_SECONDS, MAX_MESSAGE_BYTES
from services.chassis.limits.shares import current_share

Reader: TypeAlias = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Sized:
    """A message of a stream with its size in bytes, which to ask it for would mean to encode it once more."""

    request: Any
    size: int


def refusing(read: Reader | None) -> Callable[[bytes], Sized]:
    """Return the reader of a stream's messages, which raises what is wrong with one."""
    mark = marking(read)

    def refuse(data: bytes) -> Sized:
        request = mark(data)
        _check(request)
        return Sized(request, len(data))

    return refuse


def marking(read: Reader | None) -> Reader:
    """Return the reader of a single request, which gives the error in place of one that cannot be taken."""

    def mark(data: bytes) -> Any:
        if len(data) > MAX_MESSAGE_BYTES:
            return MessageTooLarge.of(len(data), MAX_MESSAGE_BYTES)
        try:
            return data if read is None else read(data)
        except DecodeError:
            return FieldInvalid.of("request", "send the message that the contract describes, its strings in UTF-8")

    return mark


def checked(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a handler that returns its response, and is never called with an error."""

    async def check(request: Any, context: Any) -> Any:
        _check(request)
        return await behaviour(request, context)

    return check


def checked_generator(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], AsyncIterator[Any]]:
    """Return a handler that yields its responses, and is never called with an error."""

    async def check(request: Any, context: Any) -> AsyncIterator[Any]:
        _check(request)
        async with aclosing(behaviour(request, context)) as responses:
            async for response in responses:
                yield response

    return check


def paced(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a handler of a stream that returns its response, and gets messages at its caller's pace."""

    async def pace(requests: AsyncIterator[Sized], context: Any) -> Any:
        return await behaviour(_at_pace(requests), context)

    return pace


def paced_generator(behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], AsyncIterator[Any]]:
    """Return a handler of a stream that yields its responses, and gets messages at its caller's pace."""

    async def pace(requests: AsyncIterator[Sized], context: Any) -> AsyncIterator[Any]:
        async with aclosing(behaviour(_at_pace(requests), context)) as responses:
            async for response in responses:
                yield response

    return pace


async def _at_pace(requests: AsyncIterator[Sized]) -> AsyncIterator[Any]:
    """Yield the messages of a stream, which must begin soon."""
    share, coming = current_share(), aiter(requests)
    try:
        async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
            first = await anext(coming, None)
    except TimeoutError:
        raise DeadlineExceeded(f"nothing came for {FIRST_MESSAGE_SECONDS:g} s: begin the stream at once") from None
    if first is None:
        return
    yield first.request
    async for message in coming:
        if share is not None:
            await share.message(message.size)
        yield message.request


def _check(request: object) -> None:
    if isinstance(request, DomainError):
        raise request
