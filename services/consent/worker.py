"""Loops of the process: sweeps at their intervals, through outages of the database."""

from collections.abc import Awaitable, Callable

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.consent.operations import sweep
from services.consent.operations.dependencies import Dependencies

EXPIRY_SECONDS = 30.0
"""A grant ends this long after its time at the latest, while the key service answers."""

_log = structlog.stdlib.get_logger()


class Worker:
    """The loops; each is a task of the process."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def run_sweep(self) -> None:
        """End interrupted changes, until cancelled."""
        await self._repeat(sweep.end_interrupted_changes, sweep.SWEEP_SECONDS)

    async def run_expiry(self) -> None:
        """End grants that have run out, until cancelled."""
        await self._repeat(sweep.expire_grants, EXPIRY_SECONDS)

    async def _repeat(self, look: Callable[[Dependencies], Awaitable[int]], pause_seconds: float) -> None:
        while True:
            try:
                if reconciled := await look(self._dependencies):
                    _log.info("consent_reconciled", count=reconciled)
            except (psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("reconciliation_waits", exc_info=error)
            await self._dependencies.clock.sleep(pause_seconds)
