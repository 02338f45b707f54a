"""Loops of the process: suggestions made once photos stop coming, and the sweeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from pellicule.internal.analysis.v1 import media_analyzed_pb2
from services.chassis.bus import Bus
from services.chassis.consumer import Consumer, IncomingEvent
from services.chassis.database import Pool
from services.chassis.error_details import as_domain_error
from services.chassis.errors import DomainError
from services.keyring import PurposeNotGranted
from services.suggestion.operations import sweep
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.refresh import refresh

CONSUMER = "suggestion-analyzed"
LOOK_SECONDS = 1.0
SWEEP_EVERY_SECONDS = 600.0
REST = timedelta(seconds=5)
"""Between two attempts at one person's suggestions, so that one that fails does not keep the others waiting."""
_OUTAGES = (DomainError, psycopg.OperationalError, PoolTimeout)

_log = structlog.stdlib.get_logger()


class Worker:
    """The loops of the process."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._orphans = sweep.OrphanSweep(dependencies)
        self._resting: dict[str, datetime] = {}

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
                await store.refreshes.mark_due(message.subject, self._dependencies.clock.now())

    async def run_refreshes(self) -> None:
        """Make suggestions for the persons who are due, until cancelled."""
        while True:
            await self._tolerating(self.refresh_due)
            await self._dependencies.clock.sleep(LOOK_SECONDS)

    async def refresh_due(self) -> None:
        """Make suggestions for the persons who are due now."""
        now = self._dependencies.clock.now()
        self._resting = {subject: until for subject, until in self._resting.items() if until > now}
        for subject in await sweep.due(self._dependencies):
            if subject not in self._resting:
                await self._refresh(subject)

    async def run_sweeps(self) -> None:
        """Expire suggestions, forget what is old and remove stray objects, until cancelled."""
        dependencies = self._dependencies
        steps = (partial(sweep.expire, dependencies), self._orphans.run, partial(sweep.forget, dependencies))
        while True:
            for step in steps:
                await self._tolerating(step)
            await self._dependencies.clock.sleep(SWEEP_EVERY_SECONDS)

    async def _refresh(self, subject: str) -> None:
        """Make one person's suggestions; one without consent is due no more, one that failed is due again."""
        try:
            made = await refresh(self._dependencies, subject=subject)
            _log.info("suggestions_made", subject=subject, count=made)
        except PurposeNotGranted:
            await sweep.no_longer_due(self._dependencies, subject=subject)
        except _OUTAGES as error:
            self._resting[subject] = self._dependencies.clock.now() + REST
            _log.warning("suggestions_wait", subject=subject, reason=as_domain_error(error).reason)

    async def _tolerating(self, step: Callable[[], Awaitable[object]]) -> None:
        """Do a step that an outage may end; what it did not do is found again."""
        try:
            await step()
        except _OUTAGES as error:
            _log.warning("work_interrupted", exc_info=error)
