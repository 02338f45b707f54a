"""Background tasks of a process: started together, stopped together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager


@asynccontextmanager
async def supervised(tasks: Sequence[Callable[[], Awaitable[None]]]) -> AsyncIterator[None]:
    """Run tasks for the time of the block, and cancel them after it."""
    running = [asyncio.create_task(_run(task), name=_name(task)) for task in tasks]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _run(task: Callable[[], Awaitable[None]]) -> None:
    await task()


def _name(task: Callable[[], Awaitable[None]]) -> str:
    return getattr(task, "__qualname__", type(task).__qualname__)
