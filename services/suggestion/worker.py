"""What goes on by itself: ideas made once photos stop coming, old ideas expired, stray objects removed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from pellicule.analysis.v1 import analysis_pb2
from services.chassis.bus import Bus
from services.chassis.consumer import Consumer, IncomingEvent
from services.chassis.database import Pool
from services.chassis.error_details import as_domain_error
from services.chassis.errors import DomainError
from services.keyring import PurposeNotGranted
from services.suggestion import refreshing
from services.suggestion.refreshing import Workshop
from services.suggestion.settings import Settings

CONSUMER = "suggestion-analyzed"
LOOK_SECONDS = 1.0
EXPIRE_EVERY_SECONDS = 600.0
ACT_LIFE = timedelta(days=30)
"""Longer than any client repeats a request whose answer was lost."""
TOMBSTONE_LIFE = timedelta(days=60)
"""Longer than any key may live and any backup is kept."""
REST = timedelta(seconds=5)
"""Between two attempts at one person's ideas, so that one that fails does not keep the others waiting."""
_OUTAGES = (DomainError, psycopg.OperationalError, PoolTimeout)

_log = structlog.stdlib.get_logger()


class Worker:
    """The loops of the process."""

    def __init__(self, workshop: Workshop, settings: Settings) -> None:
        self._workshop = workshop
        self._settings = settings
        self._suspects: frozenset[str] = frozenset()
        self._resting: dict[str, datetime] = {}

    def consumer(self, bus: Bus, pool: Pool) -> Consumer:
        """Return the consumer that hears of photos that were understood."""
        return Consumer(
            bus,
            stream="ANALYSIS",
            durable=CONSUMER,
            types=[analysis_pb2.MediaAnalyzed.DESCRIPTOR.full_name],
            handle=self.hear,
            pool=pool,
        )

    async def hear(self, event: IncomingEvent) -> None:
        """Remember that a person's ideas are due."""
        message = analysis_pb2.MediaAnalyzed.FromString(event.body)
        async with self._workshop.database.transaction() as store:
            if await store.first_time(CONSUMER, event.id):
                await store.mark_due(message.subject, self._workshop.clock.now())

    async def make_due(self) -> None:
        """Make ideas for whoever is due, for ever."""
        while True:
            await self._tolerating(self.make_what_is_due)
            await self._workshop.clock.sleep(LOOK_SECONDS)

    async def make_what_is_due(self) -> None:
        """Make ideas for whoever is due now."""
        now = self._workshop.clock.now()
        self._resting = {subject: until for subject, until in self._resting.items() if until > now}
        for subject in await self._due():
            if subject not in self._resting:
                await self._refresh(subject)

    async def keep_tidy(self) -> None:
        """Expire old ideas and remove stray objects, for ever."""
        while True:
            for step in (self.expire, self.reconcile, self.forget):
                await self._tolerating(step)
            await self._workshop.clock.sleep(EXPIRE_EVERY_SECONDS)

    async def expire(self) -> int:
        """Expire ideas that nobody did anything about for two weeks; return how many."""
        now = self._workshop.clock.now()
        async with self._workshop.database.transaction() as store:
            expired = await store.expire(now - self._settings.idea_life, now)
            for subject in sorted(set(expired)):
                await store.notify(subject)
        return len(expired)

    async def forget(self) -> int:
        """Forget requests and tombstones that nothing refers to any more; return how many."""
        now = self._workshop.clock.now()
        async with self._workshop.database.transaction() as store:
            return await store.forget_acts(now - ACT_LIFE) + await store.forget_tombstones(now - TOMBSTONE_LIFE)

    async def reconcile(self) -> int:
        """Remove objects that no row names and that none named the time before either; return how many.

        An object is put before its row is written, so one look alone proves nothing.
        """
        listed = {name async for name in self._workshop.objects.list(self._workshop.bucket)}
        async with self._workshop.database.transaction() as store:
            named = await store.object_names()
        stray = frozenset(listed - named)
        doomed = sorted(stray & self._suspects)
        await self._workshop.objects.delete(self._workshop.bucket, doomed)
        self._suspects = stray.difference(doomed)
        if doomed:
            _log.warning("orphans_removed", count=len(doomed))
        return len(doomed)

    async def _due(self) -> list[str]:
        quiet = timedelta(seconds=self._settings.quiet_seconds)
        patience = timedelta(seconds=self._settings.patience_seconds)
        async with self._workshop.database.transaction() as store:
            return await store.due(self._workshop.clock.now(), quiet, patience)

    async def _refresh(self, subject: str) -> None:
        """Make one person's ideas; one without consent is due no more, one that failed is due again."""
        try:
            made = await refreshing.refresh(self._workshop, subject=subject)
            _log.info("ideas_made", subject=subject, count=made)
        except PurposeNotGranted:
            async with self._workshop.database.transaction() as store:
                await store.delete_due(subject)
        except _OUTAGES as error:
            self._resting[subject] = self._workshop.clock.now() + REST
            _log.warning("ideas_wait", subject=subject, reason=as_domain_error(error).reason)

    async def _tolerating(self, step: Callable[[], Awaitable[object]]) -> None:
        """Do a step that an outage may end; what it did not do is found again."""
        try:
            await step()
        except _OUTAGES as error:
            _log.warning("work_interrupted", exc_info=error)
