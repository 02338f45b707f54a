"""Clock loop: what no call asks for, done in time."""

from collections.abc import Mapping
from datetime import timedelta

from services.chassis.failed_work.set_aside import SetAside
from services.chassis.loops import Step, Wall, repeat_all
from services.retention.operations import sweep
from services.retention.operations.deadlines import next_wake
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.follow_epochs import follow_epochs
from services.retention.operations.forget_records import forget_records
from services.retention.operations.rotate_epochs import rotate_epochs
from services.retention.operations.wrap_data_keys import wrap_next_data_keys

TICK_SECONDS = 1.0
"""The loop sleeps until the next deadline, at most for this long: a nearer one may have come in meanwhile."""
COALESCE_SECONDS = 0.25
"""Keys that end this close to each other are destroyed together: fewer orders for the same end."""
WRAPPING_SECONDS = 600.0
"""How long no data key is wrapped anew once there was none to wrap."""
FOLLOWING_SECONDS = 5.0
"""How often a process looks whether another one has made the epoch of the day."""
HOUSEKEEPING_SECONDS = 600.0
"""How often epochs are looked after and old records are deleted, apart from the turn of the day."""


class ClockLoop:
    """Destroys what is due, carries out our own purge orders and looks after the epochs.

    `meet_deadlines` and `keep_house` are tasks of the process, and `follow` is one of each process that may have to
    wrap keys. Several processes may run them at the same time: every step takes what no other one holds. Whatever
    fails in a step, the others go on.
    """

    def __init__(self, dependencies: Dependencies, set_aside: SetAside) -> None:
        self._dependencies = dependencies
        self._deadlines = sweep.deadline_steps(set_aside, dependencies)
        self._own_orders = sweep.own_orders_step(set_aside, dependencies)
        self._rotating_at = self._forgetting_at = self._wrapping_at = dependencies.clock.now()

    async def meet_deadlines(self) -> None:
        """Destroy what is due when its time comes, until cancelled."""
        clock = self._dependencies.clock
        walls = {loop: Wall(loop, clock) for loop in self._deadlines}
        waking = Wall("deadlines", clock)
        while True:
            for loop, step in self._deadlines.items():
                await walls[loop].attempt_when_rested(step)
            await waking.attempt(self._sleep)
            await waking.rest(0)

    async def keep_house(self) -> None:
        """Look after epochs, our own orders and old records, until cancelled."""
        await repeat_all(self._housekeeping, TICK_SECONDS, self._dependencies.clock)

    async def follow(self) -> None:
        """Take up the epochs that another process makes, until cancelled."""
        await Wall("epochs_followed", self._dependencies.clock).repeat(self._follow, FOLLOWING_SECONDS)

    async def pass_once(self) -> None:
        """Do all that is due now.

        Raises:
            Exception: what a step failed of; the others are left for the next time.
        """
        for step in (*self._deadlines.values(), *self._housekeeping.values()):
            await step()

    @property
    def _housekeeping(self) -> Mapping[str, Step]:
        return {
            "own_orders": self._own_orders,
            "epochs": self._rotate,
            "forgetting": self._forget,
            "wrapping": self._wrap_anew,
        }

    async def _follow(self) -> None:
        if await sweep.epoch_is_due(self._dependencies):
            await follow_epochs(self._dependencies)

    async def _rotate(self) -> None:
        now = self._dependencies.clock.now()
        if now >= self._rotating_at or await sweep.epoch_is_due(self._dependencies):
            await rotate_epochs(self._dependencies)
            self._rotating_at = now + timedelta(seconds=HOUSEKEEPING_SECONDS)

    async def _forget(self) -> None:
        now = self._dependencies.clock.now()
        if now >= self._forgetting_at:
            await forget_records(self._dependencies)
            self._forgetting_at = now + timedelta(seconds=HOUSEKEEPING_SECONDS)

    async def _wrap_anew(self) -> None:
        """Wrap a portion of data keys, no more at a time: calls and deadlines come first."""
        now = self._dependencies.clock.now()
        if now >= self._wrapping_at and not await wrap_next_data_keys(self._dependencies):
            self._wrapping_at = now + timedelta(seconds=WRAPPING_SECONDS)

    async def _sleep(self) -> None:
        wake = await next_wake(self._dependencies)
        seconds = TICK_SECONDS if wake is None else (wake - self._dependencies.clock.now()).total_seconds()
        await self._dependencies.clock.sleep(min(max(seconds, COALESCE_SECONDS), TICK_SECONDS))
