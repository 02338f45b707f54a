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


async def batches(items: AsyncGenerator[ItemT, None], most: int) -> AsyncGenerator[list[ItemT], None]:
    """Yield items in lists: those that are there at once go together, so that what they name is fetched together.

    Args:
        items: Closed with this generator.
        most: How many items a list has at most.
    """
    following = asyncio.ensure_future(anext(items, None))
    try:
        while (item := await following) is not None:
            batch = [item]
            following = asyncio.ensure_future(anext(items, None))
            await asyncio.sleep(0)  # an item that is there takes no longer
            while len(batch) < most and following.done() and (item := _taken(following)) is not None:
                batch.append(item)
                following = asyncio.ensure_future(anext(items, None))
                await asyncio.sleep(0)
            yield batch
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await items.aclose()


def _taken(following: "asyncio.Future[ItemT | None]") -> ItemT | None:
    """Return the item that has come; None for the end and for an error, which are met in their turn."""
    return None if following.exception() is not None else following.result()
