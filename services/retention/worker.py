"""Clock loop: what no call asks for, done in time."""

from datetime import timedelta

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.chassis.errors import DomainError
from services.retention.operations import sweep
from services.retention.operations.deadlines import next_wake
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.wrap_data_keys import wrap_next_data_keys

TICK_SECONDS = 1.0
"""The loop sleeps until the next deadline, at most for this long: a nearer one may have come in meanwhile."""
COALESCE_SECONDS = 0.25
"""Keys that end this close to each other are destroyed together: fewer orders for the same end."""
WRAPPING_SECONDS = 600.0
"""How long no data key is wrapped anew once there was none to wrap."""
HOUSEKEEPING_SECONDS = 600.0
"""How often epochs are looked after and old records are deleted, apart from the turn of the day."""

_log = structlog.stdlib.get_logger()


class ClockLoop:
    """Destroys what is due, carries out our own purge orders and looks after the epochs. `run` is a task.

    Several processes may run it at the same time: every step takes what no other one holds.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._housekeeping_at = self._wrapping_at = dependencies.clock.now()

    async def run(self) -> None:
        """Look after time, until cancelled."""
        while True:
            try:
                await self.pass_once()
                await self._sleep()
            except (DomainError, psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("clock_loop_waits", exc_info=error)
                await self._dependencies.clock.sleep(TICK_SECONDS)

    async def pass_once(self) -> None:
        """Do all that is due now."""
        await sweep.destroy_due(self._dependencies)
        now = self._dependencies.clock.now()
        if now >= self._housekeeping_at or sweep.epoch_is_due(self._dependencies):
            await sweep.keep_house(self._dependencies)
            self._housekeeping_at = self._dependencies.clock.now() + timedelta(seconds=HOUSEKEEPING_SECONDS)
        await self._wrap_anew()

    async def _wrap_anew(self) -> None:
        """Wrap a portion of data keys, no more at a time: calls and deadlines come first."""
        now = self._dependencies.clock.now()
        if now >= self._wrapping_at and not await wrap_next_data_keys(self._dependencies):
            self._wrapping_at = now + timedelta(seconds=WRAPPING_SECONDS)

    async def _sleep(self) -> None:
        wake = await next_wake(self._dependencies)
        seconds = TICK_SECONDS if wake is None else (wake - self._dependencies.clock.now()).total_seconds()
        await self._dependencies.clock.sleep(min(max(seconds, COALESCE_SECONDS), TICK_SECONDS))
