"""Background tasks of a process: started together, watched, stopped together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

_log = structlog.get_logger()


class TaskFailed(Exception):
    """A background task ended with an error; the process must end, so that its supervisor restarts it."""


class Supervisor:
    """Watches the tasks of a process."""

    def __init__(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self._tasks = tasks

    async def wait(self, stop: asyncio.Event) -> None:
        """Return when `stop` is set.

        Raises:
            TaskFailed: a task ended with an error before that. A task that just returns is done.
        """
        stopping = asyncio.create_task(stop.wait())
        pending: set[asyncio.Task[None] | asyncio.Task[bool]] = {stopping, *self._tasks}
        try:
            while not stopping.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                _raise_failure(done)
        finally:
            stopping.cancel()


@asynccontextmanager
async def supervised(tasks: Sequence[Callable[[], Awaitable[None]]]) -> AsyncIterator[Supervisor]:
    """Run tasks for the time of the block, and cancels them after it."""
    running = [asyncio.create_task(_run(task), name=_name(task)) for task in tasks]
    try:
        yield Supervisor(running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _run(task: Callable[[], Awaitable[None]]) -> None:
    await task()


def _name(task: Callable[[], Awaitable[None]]) -> str:
    return getattr(task, "__qualname__", type(task).__qualname__)


def _raise_failure(done: set[asyncio.Task[None] | asyncio.Task[bool]]) -> None:
    for task in done:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            name = task.get_name()
            _log.error("task_failed", task=name, exc_info=error)
            raise TaskFailed(f"{name} ended with {type(error).__name__}; the log has the details") from None
