"""Background work: what must be done whatever becomes of the call that made it necessary."""

import asyncio
from collections.abc import Coroutine

import structlog

from services.chassis.calls import own_deadline
from services.chassis.error_details import as_domain_error

SECONDS = 10.0
"""How long a piece of it may take: keys to destroy, objects to delete, a commit."""

_log = structlog.stdlib.get_logger()


class BackgroundWork:
    """Tasks with a deadline of their own, which the process waits for before it ends."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Begin work that need not be waited for."""
        with own_deadline(SECONDS):
            task = asyncio.create_task(_noting_failure(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def run(self, work: Coroutine[object, object, None]) -> None:
        """Do work and wait for its end; when the caller is cancelled, it goes on."""
        await asyncio.shield(self.start(work))

    async def finish(self) -> None:
        """Wait for all of it; called before the stores are closed."""
        while self._tasks:
            await asyncio.wait(self._tasks)


async def _noting_failure(work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - it has no caller to be told, and hides no error of one
        _log.warning("background_work_failed", reason=as_domain_error(error).reason, exc_info=error)
