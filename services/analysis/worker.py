"""Loops of the process: events of media and grants, the pipeline of claims, and the sweep for what was missed."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from inference.client.deadlines import deadline_scope
from pellicule.internal.consent.v1 import consent_changed_pb2
from pellicule.internal.ingest.v1 import media_stored_pb2
from services.analysis.domain.media import Claim, StoredMedia
from services.analysis.domain.pace import Pace
from services.analysis.errors import ModelFault
from services.analysis.operations import purge, sweep
from services.analysis.operations.analyze_media import analyze_media
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.update_metadata import refresh_missed_records, update_metadata
from services.analysis.operations.watch_withdrawal import withdrawn
from services.analysis.translation import events
from services.chassis.database import Pool
from services.chassis.errors import DomainError
from services.chassis.failed_work.set_aside import SetAside
from services.chassis.failed_work.turns import Turns
from services.chassis.loops import Step, Wall, repeat_all
from services.chassis.messaging.bus import Bus
from services.chassis.messaging.consumer import Consumer, IncomingEvent
from services.keyring import DataKeyScope, PurgeOrder, Purpose

_HEARERS = 8
_STORED = media_stored_pb2.MediaStored.DESCRIPTOR.full_name
_UPDATED = media_stored_pb2.MediaUpdated.DESCRIPTOR.full_name
_DATABASE_ERRORS = (psycopg.OperationalError, PoolTimeout)

_log = structlog.stdlib.get_logger()


@dataclass
class _Running:
    """Tasks at work, and what each has in hand: media of one person."""

    tasks: dict[asyncio.Task[None], list[Claim]] = field(default_factory=dict)

    @property
    def media(self) -> int:
        return sum(len(claims) for claims in self.tasks.values())

    @property
    def renewals(self) -> int:
        return sum(claim.renews for claims in self.tasks.values() for claim in claims)

    def of(self, subject: str) -> list[asyncio.Task[None]]:
        return [task for task, claims in self.tasks.items() if claims[0].stored.subject == subject]


class Worker:
    """The loops of the process."""

    def __init__(self, dependencies: Dependencies, pace: Pace, set_aside: SetAside) -> None:
        self._dependencies = dependencies
        kinds = ("grant", "expired_media", "stale_record")
        self._grants, self._expired, self._stale = (Turns(each, set_aside, dependencies.clock) for each in kinds)
        self._pace = pace
        self._knows_models = False
        self._running = _Running()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Have `work` look for what is due."""
        self._wake.set()

    def consumers(self, bus: Bus, pool: Pool) -> list[Consumer]:
        """Return what listens to ingest and consent."""
        return [
            Consumer(
                bus,
                stream="INGEST",
                durable="analysis-media",
                types=[_STORED, _UPDATED],
                handle=self.hear_media,
                concurrency=_HEARERS,
                pool=pool,
            ),
            Consumer(
                bus,
                stream="CONSENT",
                durable="analysis-consent",
                types=[consent_changed_pb2.ConsentChanged.DESCRIPTOR.full_name],
                handle=self.hear_consent,
                pool=pool,
            ),
        ]

    async def hear_media(self, event: IncomingEvent) -> None:
        """Note a media, or what its owner changed of it; hearing of it twice changes nothing."""
        if event.type == _UPDATED:
            update = events.metadata_update(media_stored_pb2.MediaUpdated.FromString(event.body))
            await update_metadata(update, self._dependencies)
            return
        media = events.stored_media(media_stored_pb2.MediaStored.FromString(event.body), event.time)
        if await self._dependencies.work.announce(media, self._dependencies.clock.now() + self._pace.burst):
            asyncio.get_running_loop().call_later(self._pace.burst.total_seconds(), self._wake.set)

    async def hear_consent(self, event: IncomingEvent) -> None:
        """Make media due for purposes that were granted. What was revoked comes as a purge order."""
        subject, granted = events.granted(consent_changed_pb2.ConsentChanged.FromString(event.body))
        for purpose in granted:
            await self._want(subject, purpose)

    async def purge(self, order: PurgeOrder) -> Mapping[str, int]:
        """Stop what is going on for a purpose or a person, then carries the order out.

        Single media that were erased are left to the tombstones: stopping would take the person's others along.
        """
        if not isinstance(order.scope, DataKeyScope):
            await self._stop(order.subject)
        return await purge.execute(order, self._dependencies)

    async def work(self) -> None:
        """Keep as many media in hand as the pace allows; begin when it is known what the server serves.

        Told to stop, it takes nothing more, lets what is in hand come to its end for a while, and gives the rest back.
        """
        wall = Wall("analysis", self._dependencies.clock)
        while not self._knows_models:
            await wall.attempt(self.look_at_models)
            await wall.rest(0)
        try:
            while True:
                self._wake.clear()
                claims = list[Claim]()
                if not await wall.attempt(partial(self._claim_more, claims)):
                    await wall.rest()
                await self._wait(timedelta() if claims else self._pace.poll)
        finally:
            await self._finish()

    async def watch_models(self) -> None:
        """Ask again and again which models are served."""
        wall = Wall("served_models", self._dependencies.clock)
        await wall.repeat(self.look_at_models, self._pace.sweep.total_seconds())

    async def sweep(self) -> None:
        """Look for what was missed, again and again: other models, lost grants, media past their time."""
        steps: dict[str, Step] = {
            "models": self.sweep_models,
            "grants": self.sweep_grants,
            "expiry": self.sweep_expired,
            "forgetting": partial(sweep.forget_tombstones, self._dependencies),
            "stale_records": self.sweep_metadata,
        }
        await repeat_all(steps, self._pace.sweep.total_seconds(), self._dependencies.clock)

    async def look_at_models(self) -> None:
        """Asks which models are served.

        What is at work goes on under the names that it began with: if they are old, it is renewed in its turn.
        """
        served = await sweep.served_models(self._dependencies)
        if served != self._dependencies.models:
            _log.info("models_changed", models=served.scene)
            self._dependencies = replace(self._dependencies, models=served)
        self._knows_models = True

    async def sweep_models(self) -> None:
        """Asks which models are served, and makes due for renewal what was found by others."""
        await self.look_at_models()
        if await sweep.renew_stale(self._dependencies):
            self._wake.set()

    async def sweep_grants(self) -> None:
        """Asks for persons whose media lack findings of a purpose whether they have granted it meanwhile."""
        if await sweep.catch_up_grants(self._grants, self._dependencies):
            self._wake.set()

    async def sweep_expired(self) -> None:
        """Delete media past their time."""
        await sweep.delete_expired(self._expired, self._dependencies)

    async def sweep_metadata(self) -> None:
        """Take into records what their owners changed while a process died."""
        await refresh_missed_records(self._stale, self._dependencies)

    async def drain(self) -> None:
        """Works until nothing is due and nothing is in hand."""
        while await self._claim_more([]) or self._running.tasks:
            await asyncio.wait(self._running.tasks, return_when=asyncio.FIRST_COMPLETED)

    async def _claim_more(self, claims: list[Claim]) -> int:
        """Begin work on what is due, and add it to these claims; return how many they are then."""
        room = self._pace.in_hand - self._running.media
        if room >= self._pace.batch and not self._dependencies.vision.models.paused():
            claims.extend(await self._claim())
        for group in _groups(claims):
            self._start(group)
        return len(claims)

    async def _claim(self) -> list[Claim]:
        """Claims what is fresh; only where nothing is, and only a few at a time, what is to be renewed."""
        now = self._dependencies.clock.now()
        until = now + self._pace.lease
        if claims := await self._dependencies.work.claim(limit=self._pace.batch, now=now, until=until):
            return claims
        room = min(self._pace.batch, self._pace.renewals - self._running.renewals)
        return await self._dependencies.work.claim_renewals(limit=room, now=now, until=until) if room > 0 else []

    def _start(self, claims: list[Claim]) -> None:
        dependencies = self._dependencies
        with deadline_scope(dependencies.clock.monotonic() + (self._pace.lease - self._pace.storing).total_seconds()):
            task = asyncio.create_task(self._tolerating(lambda: analyze_media(claims, dependencies)))
        self._running.tasks[task] = claims
        task.add_done_callback(self._ended)
        watching = asyncio.create_task(self._stop_when_withdrawn(claims[0].stored, task))
        task.add_done_callback(lambda _: watching.cancel())

    async def _stop_when_withdrawn(self, stored: StoredMedia, task: asyncio.Task[None]) -> None:
        await withdrawn(stored.subject, stored.purpose, self._dependencies)
        task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running.tasks[task]
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its claims run out, and count against its media.
            _log.error("analysis_failed", exc_info=error)

    async def _wait(self, longest: timedelta) -> None:
        """Wait until a task ends, a media comes in, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(longest, self._dependencies.vision.models.paused()).total_seconds()):
                await self._wake.wait()

    async def _finish(self) -> None:
        if self._running.tasks:
            await asyncio.wait(self._running.tasks, timeout=self._pace.finish.total_seconds())
        await _cancelled(self._running.tasks)

    async def _stop(self, subject: str) -> None:
        await _cancelled(self._running.of(subject))

    async def _want(self, subject: str, purpose: Purpose) -> None:
        if await sweep.want_purpose(subject, purpose, self._dependencies):
            self._wake.set()

    async def _tolerating(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do a step that an outage may end; what it did not do is found again."""
        try:
            await step()
        except (DomainError, ModelFault, *_DATABASE_ERRORS) as error:
            _log.warning("work_interrupted", exc_info=error)


async def _cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks, and return when they have given back what they had in hand."""
    stopping = list(tasks)
    for task in stopping:
        task.cancel()
    await asyncio.gather(*stopping, return_exceptions=True)


def _groups(claims: list[Claim]) -> list[list[Claim]]:
    groups: defaultdict[tuple[str, Purpose], list[Claim]] = defaultdict(list)
    for claim in claims:
        groups[claim.stored.subject, claim.stored.purpose].append(claim)
    return list(groups.values())
