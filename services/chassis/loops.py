"""Outer wall of the loops of a process: what fails in one is told, counted and tried again, and stops nothing else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Never, TypeAlias

import structlog

from services.chassis.clock import Clock
from services.chassis.error_details import failure_reason, is_outage
from services.chassis.metrics import LOOP_FAILURES, Measurements

__all__ = ["Step", "Wall", "enduring", "heed_cancellation", "repeat_all"]

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_LONGEST_OUTAGE_PAUSE_SECONDS = 5.0
"""Servers come back without a word: the work goes on this long after they have."""
_STEADY_SECONDS = 60.0
"""What ran for this long before it failed does not fail again and again."""

_log = structlog.stdlib.get_logger()

Step: TypeAlias = Callable[[], Awaitable[object]]


def heed_cancellation() -> None:
    """End the running task if it was cancelled and a library kept that to itself, as that of the bus does in a flush.

    For every loop that calls such a library: it would never end, and neither would the process.

    Raises:
        CancelledError: it was.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Wall:
    """The wall around a loop.

    An outage is a warning and a short pause, since nothing is wrong with the loop; anything else is an error with its
    traceback, and the pauses grow.
    """

    def __init__(self, loop: str, clock: Clock, measurements: Measurements | None = None) -> None:
        """Describe the loop.

        Args:
            loop: Its name in logs and metrics; one of a closed set.
            clock: Says when it is time again.
            measurements: Replaces the process's own.
        """
        self._loop = loop
        self._clock = clock
        self._measurements = measurements or Measurements()
        self._pause = self._failed_at = 0.0

    async def attempt(self, step: Step) -> bool:
        """Do a step, and tell whether it succeeded."""
        heed_cancellation()
        started = self._clock.monotonic()
        try:
            await step()
        except Exception as error:  # noqa: BLE001  # the wall: whatever it is, the loop goes on
            steady = self._clock.monotonic() - started > _STEADY_SECONDS
            self._failed_at = self._clock.monotonic()
            self._tell(error)
            self._pause = _next_pause(0.0 if steady else self._pause, error)
            return False
        self._pause = 0.0
        return True

    async def attempt_when_rested(self, step: Step) -> None:
        """Do a step unless the pause after its last failure is still on; for steps that share a loop."""
        if self._clock.monotonic() >= self._failed_at + self._pause:
            await self.attempt(step)

    async def rest(self, seconds: float = _FIRST_PAUSE_SECONDS) -> None:
        """Wait as long as given after a success, and as long as the failures ask for after one of them."""
        heed_cancellation()
        await self._clock.sleep(self._pause or seconds)

    async def repeat(self, step: Step, seconds: float) -> Never:
        """Do a step again and again.

        Args:
            step: Does what is to be done now.
            seconds: Pause after one that succeeded.
        """
        while True:
            await self.attempt(step)
            await self.rest(seconds)

    def _tell(self, error: Exception) -> None:
        outcome = "outage" if is_outage(error) else "fault"
        self._measurements.measure(LOOP_FAILURES, 1, {"loop": self._loop, "outcome": outcome})
        if outcome == "outage":
            _log.warning("loop_waits", loop=self._loop, reason=failure_reason(error), exc_info=error)
        else:
            _log.error("loop_failed", loop=self._loop, reason=failure_reason(error), exc_info=error)


async def repeat_all(steps: Mapping[str, Step], seconds: float, clock: Clock) -> None:
    """Do each step again and again by itself, so that none waits for another.

    Args:
        steps: By the name of the loop.
        seconds: Pause after one that succeeded.
        clock: Says when it is time again.
    """
    async with asyncio.TaskGroup() as tasks:
        for loop, step in steps.items():
            tasks.create_task(Wall(loop, clock).repeat(step, seconds))


def enduring(
    task: Callable[[], Awaitable[None]], clock: Clock, measurements: Measurements | None = None
) -> Callable[[], Awaitable[None]]:
    """Return a task of a process that begins again when it fails; one that just returns is done."""
    wall = Wall(getattr(task, "__qualname__", type(task).__qualname__), clock, measurements)

    async def run() -> None:
        while not await wall.attempt(task):
            await wall.rest()

    return run


def _next_pause(last: float, error: Exception) -> float:
    longest = _LONGEST_OUTAGE_PAUSE_SECONDS if is_outage(error) else _LONGEST_PAUSE_SECONDS
    return min(max(last * 2, _FIRST_PAUSE_SECONDS), longest)
