"""The clock loop: what no call asks for, done in time."""

from datetime import timedelta

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.chassis.clock import Clock
from services.chassis.errors import DomainError
from services.retention.data_map import DataMap
from services.retention.operations import clocks, purging
from services.retention.operations.ports import EpochKeys, Store

TICK_SECONDS = 1.0
"""The loop sleeps until the next deadline, at most for this long: a nearer one may have come in meanwhile."""
COALESCE_SECONDS = 0.25
"""Keys that end this close to each other are destroyed together: fewer orders for the same end."""
HOUSEKEEPING_SECONDS = 600.0
"""How often epochs are looked after and old records are deleted, apart from the turn of the day."""

_log = structlog.stdlib.get_logger()


class ClockLoop:
    """Destroys what is due, carries out our own purge orders and looks after the epochs. `run` is a task.

    Several processes may run it at the same time: every step takes what no other one holds.
    """

    def __init__(self, store: Store, epoch_keys: EpochKeys, clock: Clock, data_map: DataMap) -> None:
        self._store = store
        self._epoch_keys = epoch_keys
        self._clock = clock
        self._data_map = data_map
        self._housekeeping_at = clock.now()

    async def run(self) -> None:
        """Looks after time, for ever."""
        while True:
            try:
                await self.pass_once()
                await self._sleep()
            except (DomainError, psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("clock_loop_waits", exc_info=error)
                await self._clock.sleep(TICK_SECONDS)

    async def pass_once(self) -> None:
        """Does all that is due now."""
        await clocks.destroy_expired_purposes(store=self._store, clock=self._clock, data_map=self._data_map)
        await clocks.destroy_due_keys(store=self._store, clock=self._clock, data_map=self._data_map)
        while await purging.carry_out_own_order(store=self._store, clock=self._clock, data_map=self._data_map):
            pass
        if self._housekeeping_is_due():
            await self._keep_house()

    def _housekeeping_is_due(self) -> bool:
        now = self._clock.now()
        return now >= self._housekeeping_at or self._epoch_keys.newest < now.date().isoformat()

    async def _keep_house(self) -> None:
        await clocks.rotate_epochs(store=self._store, epoch_keys=self._epoch_keys, clock=self._clock)
        await clocks.forget_old_records(store=self._store, clock=self._clock)
        self._housekeeping_at = self._clock.now() + timedelta(seconds=HOUSEKEEPING_SECONDS)

    async def _sleep(self) -> None:
        wake = await clocks.next_wake(store=self._store)
        seconds = TICK_SECONDS if wake is None else (wake - self._clock.now()).total_seconds()
        await self._clock.sleep(min(max(seconds, COALESCE_SECONDS), TICK_SECONDS))
