"""Cleanup: what must be done although the call that left it to do has ended."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context

import structlog

CLEANUP_SECONDS = 15.0
"""For deleting a few objects and destroying a few keys."""

_log = structlog.stdlib.get_logger()


class Cleanup:
    """Work on a deadline of its own: neither the call's deadline nor its end stops it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Begin work that need not be waited for."""
        # In a new context, since calls to other services take their deadlines from the call in the present one.
        task = asyncio.create_task(_bounded(work), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    async def complete(self, work: Coroutine[object, object, None]) -> None:
        """Wait for work; it goes on if the wait is cancelled."""
        await asyncio.shield(self.start(work))

    async def finish(self) -> None:
        """Wait for all of it; called before the stores are closed."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("cleanup_failed", exc_info=error)


async def _bounded(work: Coroutine[object, object, None]) -> None:
    async with asyncio.timeout(CLEANUP_SECONDS):
        await work
