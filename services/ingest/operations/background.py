"""Background work: what is still to be done once its call has ended."""

import asyncio
from collections.abc import Coroutine

import structlog

from services.chassis.errors import DomainError

_log = structlog.stdlib.get_logger()


class BackgroundWork:
    """Saves what a broken stream brought and gives locks back, after the call has been answered."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Begin work that need not be waited for."""
        task = asyncio.create_task(_noting_failure(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self) -> None:
        """Wait for all of it; called before the stores are closed."""
        while self._tasks:
            await asyncio.wait(self._tasks)


async def _noting_failure(work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except DomainError as error:
        _log.warning("background_work_failed", reason=error.reason, exc_info=error)
