"""Loops of the process: suggestions made once photos stop coming, and the sweeps."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from pellicule.internal.analysis.v1 import media_analyzed_pb2
from services.chassis.clock import wait_within
from services.chassis.database import Pool
from services.chassis.failed_work.set_aside import Item, SetAside
from services.chassis.failed_work.turns import Turns
from services.chassis.loops import Step, Wall, repeat_all
from services.chassis.messaging.bus import Bus
from services.chassis.messaging.consumer import Consumer, IncomingEvent
from services.chassis.orphans import Walks
from services.chassis.person_leases import TurnTaken
from services.chassis.telemetry.spans import work_span
from services.keyring import PurposeNotGranted
from services.suggestion.domain.metrics import DELAY
from services.suggestion.operations import sweep
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.refresh import refresh_if_due
from services.suggestion.ports import Due
from services.suggestion.translation import upload_time

CONSUMER = "suggestion-analyzed"
LOOK_SECONDS = 1.0
SWEEP_EVERY_SECONDS = 600.0

_log = structlog.stdlib.get_logger()


class Worker:
    """The loops of the process."""

    def __init__(self, dependencies: Dependencies, set_aside: SetAside, walks: Walks) -> None:
        self._dependencies = dependencies
        self._orphans = sweep.orphan_sweep(dependencies, walks)
        self._turns = Turns("refresh", set_aside, dependencies.clock)
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Have `run_refreshes` look for who is due."""
        self._wake.set()

    async def open_work(self, limit: int) -> int:
        """Return for how many persons there is something to do, counted up to a number."""
        return await sweep.open_work(self._dependencies, limit)

    def consumer(self, bus: Bus, pool: Pool) -> Consumer:
        """Return the consumer that hears of photos that were analyzed."""
        return Consumer(
            bus,
            stream="ANALYSIS",
            durable=CONSUMER,
            types=[media_analyzed_pb2.MediaAnalyzed.DESCRIPTOR.full_name],
            handle=self.hear,
            pool=pool,
        )

    async def hear(self, event: IncomingEvent) -> None:
        """Remember that a person's suggestions are due."""
        message = media_analyzed_pb2.MediaAnalyzed.FromString(event.body)
        async with self._dependencies.database.transaction() as store:
            if await store.first_time(CONSUMER, event.id):
                await store.refreshes.mark_due(message.subject, self._dependencies.clock.now(), upload_time(message))

    async def run_refreshes(self) -> None:
        """Make suggestions for the persons who are due, until cancelled."""
        await Wall("refresh", self._dependencies.clock).repeat(self._refresh_and_wait, 0)

    async def refresh_due(self) -> None:
        """Make suggestions for the persons who are due now."""
        await self._turns.take(partial(sweep.due, self._dependencies), _item, self._refresh)

    async def run_sweeps(self) -> None:
        """Expire suggestions, forget what is old and remove stray objects, until cancelled."""
        dependencies = self._dependencies
        steps: dict[str, Step] = {
            "expiry": partial(sweep.expire, dependencies),
            "orphans": self._orphans.run,
            "forgetting": partial(sweep.forget, dependencies),
        }
        await repeat_all(steps, SWEEP_EVERY_SECONDS, dependencies.clock)

    async def _refresh_and_wait(self) -> None:
        self._wake.clear()
        await self.refresh_due()
        await wait_within(self._wake, LOOK_SECONDS, self._dependencies.clock)

    async def _refresh(self, due: Due) -> None:
        """Make one person's suggestions in the trace of what made them due; one without consent is due no more."""
        with work_span("refresh suggestions", due.trace):
            try:
                self._tell(due, await refresh_if_due(self._dependencies, subject=due.subject))
            except PurposeNotGranted:
                await sweep.no_longer_due(self._dependencies, subject=due.subject)
            except TurnTaken:
                _log.debug("refresh_left_to_another", subject=due.subject)

    def _tell(self, due: Due, made: int) -> None:
        _log.info("suggestions_made", subject=due.subject, count=made)
        if made and due.upload_time is not None:
            waited = self._dependencies.clock.now() - due.upload_time
            self._dependencies.measurements.measure(DELAY, waited.total_seconds())


def _item(due: Due) -> Item:
    return Item(due.subject, due.subject)
