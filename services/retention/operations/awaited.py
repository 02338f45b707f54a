"""Destructions that a caller waits for: until every replica says that its holders of keys have dropped them."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID, uuid4

import structlog

from services.chassis.clock import Clock, wait_within
from services.chassis.errors import DependencyUnavailable
from services.retention.domain.revocation import LEASE_SECONDS
from services.retention.operations.holders import LONGEST_SECONDS
from services.retention.ports import Replicas

SILENT_SECONDS = LEASE_SECONDS + 1.0
"""This long after a replica's last beat no lease lasts that it gave, by the database's clock, which may be set."""

_log = structlog.stdlib.get_logger()


class Awaited:
    """Implements `ports.AwaitedDestruction`."""

    def __init__(self, replicas: Replicas, clock: Clock) -> None:
        self.id = uuid4()
        self.moved = asyncio.Event()
        self.heard_by: set[UUID] = set()
        self._replicas = replicas
        self._clock = clock

    async def heard(self) -> None:
        """Return when all replicas have heard it, those that are silent have been so for long, or all leases ended."""
        committed = self._clock.monotonic()
        silent_at = await self._others(committed)
        while (seconds := self._outstanding(committed, silent_at)) > 0:
            self.moved.clear()
            await wait_within(self.moved, seconds, self._clock)

    async def _others(self, now: float) -> Mapping[UUID, float]:
        """Return when each replica has been silent for long enough; all together are never waited for longer."""
        try:
            ages = await self._replicas.ages()
        except DependencyUnavailable:
            _log.warning("replicas_unknown")
            return {self.id: now + LONGEST_SECONDS}  # stands for a replica that says nothing
        return {replica: now + SILENT_SECONDS - max(age, 0.0) for replica, age in ages.items()}

    def _outstanding(self, committed: float, silent_at: Mapping[UUID, float]) -> float:
        waited_for = [at for replica, at in silent_at.items() if replica not in self.heard_by]
        end = min(max(waited_for, default=committed), committed + LONGEST_SECONDS)
        return end - self._clock.monotonic()


class AwaitedDestructions:
    """The destructions that calls of this process wait for."""

    def __init__(self, replicas: Replicas, clock: Clock) -> None:
        self._replicas = replicas
        self._clock = clock
        self._awaited: dict[UUID, Awaited] = {}

    @contextmanager
    def awaited(self) -> Iterator[Awaited]:
        """Give a destruction that can be waited for within the block."""
        awaited = Awaited(self._replicas, self._clock)
        self._awaited[awaited.id] = awaited
        try:
            yield awaited
        finally:
            del self._awaited[awaited.id]

    def heard(self, destruction: UUID, replica: UUID) -> bool:
        """Note what a replica says, and tell whether a call of this process waits for it."""
        awaited = self._awaited.get(destruction)
        if awaited is None:
            return False
        awaited.heard_by.add(replica)
        awaited.moved.set()
        return True
