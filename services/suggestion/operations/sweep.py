"""Sweeps: suggestions that became due, expired ones, old requests, stray objects."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta

from services.chassis.orphans import OrphanSweep, Walks
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.ports import Due

DECISION_LIFE = timedelta(days=30)
"""Longer than any client repeats a request whose answer was lost."""
TOMBSTONE_LIFE = timedelta(days=60)
"""Longer than any key may live and any backup is kept."""
ORPHAN_GRACE = timedelta(minutes=10)
"""Longer than any put and its commit take."""


async def due(dependencies: Dependencies, without: AbstractSet[str]) -> list[Due]:
    """Return the persons, but these, whose suggestions are to be made now."""
    policy = dependencies.policy
    async with dependencies.database.transaction() as store:
        return await store.refreshes.due(dependencies.clock.now(), policy.quiet, policy.patience, without)


async def open_work(dependencies: Dependencies, limit: int) -> int:
    """Return for how many persons suggestions are to be made, or are being made, counted up to a number."""
    policy = dependencies.policy
    async with dependencies.database.transaction() as store:
        return await store.refreshes.count(dependencies.clock.now(), policy.quiet, policy.patience, limit)


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


def orphan_sweep(dependencies: Dependencies, walks: Walks) -> OrphanSweep:
    """Return the sweep for objects that no row names."""

    async def unknown(names: Sequence[str]) -> set[str]:
        async with dependencies.database.transaction() as store:
            return await store.suggestions.unknown_objects(names)

    return OrphanSweep(
        objects=dependencies.objects,
        bucket=dependencies.bucket,
        unknown=unknown,
        walks=walks,
        clock=dependencies.clock,
        grace=ORPHAN_GRACE,
        backstop=dependencies.policy.backstop,
        measurements=dependencies.measurements,
    )
