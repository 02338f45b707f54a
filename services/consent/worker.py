"""Loops of the process: sweeps at their intervals, through outages and whatever fails of one person."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import structlog

from services.chassis.failed_work.set_aside import SetAside
from services.chassis.failed_work.turns import Turns
from services.chassis.loops import Wall
from services.consent.operations import sweep
from services.consent.operations.dependencies import Dependencies
from services.consent.ports import BEGINNING

EXPIRY_SECONDS = 30.0
"""A grant ends this long after its time at the latest, while the key service answers."""
_OVERLAP = timedelta(hours=1)
"""What was committed while the last look was under way, and what clocks differ by."""

_log = structlog.stdlib.get_logger()


class Worker:
    """The loops; each is a task of the process."""

    def __init__(self, dependencies: Dependencies, set_aside: SetAside) -> None:
        clock = dependencies.clock
        self._dependencies = dependencies
        interrupted = Turns("interrupted_change", set_aside, clock)
        self._end_interrupted = partial(sweep.end_interrupted_changes, interrupted, dependencies)
        self._expired = Turns("expired_grant", set_aside, clock)
        self._expired_until = BEGINNING
        self._clock = clock

    async def run_sweep(self) -> None:
        """End interrupted changes, until cancelled."""
        await self._repeat("interrupted_changes", self._end_interrupted, sweep.SWEEP_SECONDS)

    async def run_expiry(self) -> None:
        """End grants that have run out, until cancelled."""
        await self._repeat("expiry", self.expire, EXPIRY_SECONDS)

    async def expire(self) -> int:
        """End grants that ran out since the last look, which may lie long ago; return for how many persons."""
        now = self._clock.now()
        count = await sweep.expire_grants(self._expired, self._dependencies, since=self._expired_until)
        if not await self._expired.known():
            self._expired_until = now - _OVERLAP
        return count

    async def _repeat(self, loop: str, look: Callable[[], Awaitable[int]], pause_seconds: float) -> None:
        async def told() -> None:
            if reconciled := await look():
                _log.info("consent_reconciled", count=reconciled)

        await Wall(loop, self._clock).repeat(told, pause_seconds)
