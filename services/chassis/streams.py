"""Streams of answers: bytes in pieces from an offset on, and watches that end with their caller's token."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from typing import TypeVar

from services.chassis.clock import Clock
from services.chassis.errors import FieldInvalid
from services.chassis.limits import CHUNK_BYTES
from services.chassis.principal import current_expire_time
from services.chassis.tokens import LEEWAY, token_expired

ItemT = TypeVar("ItemT")


def checked_offset(offset: int, size: int) -> int:
    """Return where a stream of bytes is to begin.

    Args:
        offset: What the caller asked for: how many bytes it has.
        size: Of all the bytes; the whole of them may be left out.

    Raises:
        FieldInvalid: the offset lies outside.
    """
    if not 0 <= offset <= size:
        raise FieldInvalid.of("offset", f"send the number of bytes that you have: from 0 to {size}")
    return offset


async def chunks(pieces: AsyncIterable[bytes], offset: int = 0) -> AsyncIterator[bytes]:
    """Yield pieces of at most `CHUNK_BYTES` without the first `offset` bytes; all that comes before them is dropped."""
    async for piece in pieces:
        start = min(offset, len(piece))
        offset -= start
        for place in range(start, len(piece), CHUNK_BYTES):
            yield piece[place : place + CHUNK_BYTES]


async def until_token_expires(items: AsyncGenerator[ItemT, None], clock: Clock) -> AsyncGenerator[ItemT, None]:
    """Yield the items for as long as the caller's token lasts; a caller without one may listen on.

    Raises:
        TokenExpired: the token came to its end: the caller gets a new one and goes on from its cursor.
    """
    expire_time = current_expire_time()
    async with aclosing(items):
        while True:
            left = None if expire_time is None else (expire_time + LEEWAY - clock.now()).total_seconds()
            try:
                async with asyncio.timeout(left) as scope:
                    item = await anext(items)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if expire_time is None or not scope.expired():
                    raise
                raise token_expired(expire_time) from None
            yield item
