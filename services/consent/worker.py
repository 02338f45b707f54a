"""What goes on by itself: interrupted changes are ended, grants run out, erased persons are deleted."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.chassis.clock import Clock
from services.chassis.errors import DomainError
from services.consent import settlement
from services.consent.ports import ConsentStore, PurposeKeys
from services.keyring import PurgeOrder, SubjectScope

SWEEP_SECONDS = 5.0
"""Time between two looks for interrupted changes; a change in work is younger than this or holds its lock."""
EXPIRY_SECONDS = 30.0
"""A grant ends this long after its time at the latest, while the key service answers."""
_BATCH = 100

_log = structlog.stdlib.get_logger()


class Worker:
    """The loops of the process, and the handler of purge orders."""

    def __init__(self, store: ConsentStore, keys: PurposeKeys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock

    async def sweep_again_and_again(self) -> None:
        """Ends interrupted changes, for ever."""
        await self._repeat(self.sweep, SWEEP_SECONDS)

    async def expire_again_and_again(self) -> None:
        """Ends grants that have run out, for ever."""
        await self._repeat(self.expire, EXPIRY_SECONDS)

    async def sweep(self) -> int:
        """Ends changes that were interrupted, and returns how many persons' books agree again."""
        begun_before = self._clock.now() - timedelta(seconds=SWEEP_SECONDS)
        return await self._settle(await self._store.unfinished(begun_before, limit=_BATCH))

    async def expire(self) -> int:
        """Ends grants that have run out, and returns for how many persons."""
        return await self._settle(await self._store.due(self._clock.now(), limit=_BATCH))

    async def carry_out_purge(self, order: PurgeOrder) -> Mapping[str, int]:
        """Deletes what an order asks for; only erasures of a whole person concern this service.

        Decisions are not made for a purpose, but about it: they outlive the purpose's end and die with the person.
        """
        if not isinstance(order.scope, SubjectScope):
            return {}
        return await settlement.purge(
            subject=order.subject,
            erase_time=order.scope.erase_time,
            store=self._store,
            keys=self._keys,
            clock=self._clock,
        )

    async def _settle(self, subjects: Sequence[str]) -> int:
        settled = 0
        for subject in subjects:
            try:
                await settlement.settle_person(subject=subject, store=self._store, keys=self._keys, clock=self._clock)
                settled += 1
            except DomainError as error:
                _log.warning("settlement_waits", subject=subject, reason=error.reason)
        return settled

    async def _repeat(self, look: Callable[[], Awaitable[int]], pause_seconds: float) -> None:
        while True:
            try:
                if settled := await look():
                    _log.info("consent_settled", count=settled)
            except (psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("settlement_waits", exc_info=error)
            await self._clock.sleep(pause_seconds)
