"""Waiting for what happens elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")


async def eventually(
    look: Callable[[], Awaitable[ResultT]], wanted: Callable[[ResultT], bool] = bool, *, seconds: float = 60
) -> ResultT:
    """Look again and again until it sees what is wanted, which is what is true; fails with what it saw last."""
    seen = await look()
    try:
        async with asyncio.timeout(seconds):
            while not wanted(seen):
                await asyncio.sleep(0.05)
                seen = await look()
    except TimeoutError:
        raise AssertionError(f"still {seen!r} after {seconds} s") from None
    return seen
