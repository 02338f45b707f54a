"""Sweeps: suggestions that became due, expired ones, old requests, stray objects."""

from __future__ import annotations

from datetime import timedelta

import structlog

from services.suggestion.operations.dependencies import Dependencies

DECISION_LIFE = timedelta(days=30)
"""Longer than any client repeats a request whose answer was lost."""
TOMBSTONE_LIFE = timedelta(days=60)
"""Longer than any key may live and any backup is kept."""

_log = structlog.stdlib.get_logger()


async def due(dependencies: Dependencies) -> list[str]:
    """Return the persons whose suggestions are to be made now."""
    policy = dependencies.policy
    async with dependencies.database.transaction() as store:
        return await store.refreshes.due(dependencies.clock.now(), policy.quiet, policy.patience)


async def no_longer_due(dependencies: Dependencies, *, subject: str) -> None:
    """Take a person out of the queue, whatever was analyzed since."""
    async with dependencies.database.transaction() as store:
        await store.refreshes.delete(subject)


async def expire(dependencies: Dependencies) -> int:
    """Expire suggestions whose owner decided nothing in time; return how many."""
    now = dependencies.clock.now()
    async with dependencies.database.transaction() as store:
        expired = await store.suggestions.expire(now - dependencies.policy.offer_life, now)
        # In one order, so that no two sweeps wait for each other.
        for subject in sorted({subject for subject, _ in expired}):
            await store.changes.changed(subject, [id_ for whose, id_ in expired if whose == subject])
    return len(expired)


async def forget(dependencies: Dependencies) -> int:
    """Forget requests and tombstones that nothing refers to any more; return how many."""
    now = dependencies.clock.now()
    async with dependencies.database.transaction() as store:
        decisions = await store.decisions.forget(now - DECISION_LIFE)
        return decisions + await store.purges.forget_tombstones(now - TOMBSTONE_LIFE)


class OrphanSweep:
    """Removal of objects that no row names."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._suspects: frozenset[str] = frozenset()

    async def run(self) -> int:
        """Remove objects that no row names and that none named the time before either; return how many.

        An object is put before its row is written, so one look alone proves nothing.
        """
        objects, bucket = self._dependencies.objects, self._dependencies.bucket
        listed = {name async for name in objects.list(bucket)}
        async with self._dependencies.database.transaction() as store:
            named = await store.suggestions.object_names()
        stray = frozenset(listed - named)
        orphans = sorted(stray & self._suspects)
        await objects.delete(bucket, orphans)
        self._suspects = stray.difference(orphans)
        if orphans:
            _log.warning("orphans_removed", count=len(orphans))
        return len(orphans)
