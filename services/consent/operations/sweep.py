"""Sweeps: interrupted changes are ended, and grants that have run out."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from services.chassis.failed_work.set_aside import Item
from services.chassis.failed_work.turns import Turns
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.reconcile import reconcile_person
from services.consent.ports import BEGINNING

SWEEP_SECONDS = 5.0
"""Time between two sweeps for interrupted changes; a change in work is younger than this or holds its lock."""
_BATCH = 100


async def end_interrupted_changes(turns: Turns, dependencies: Dependencies) -> int:
    """End changes that were interrupted, and return how many persons' books agree again."""
    begun_before = dependencies.clock.now() - timedelta(seconds=SWEEP_SECONDS)

    async def unfinished(without: AbstractSet[str]) -> Sequence[str]:
        return await dependencies.store.unfinished(begun_before, limit=_BATCH, without=without)

    return await turns.take(unfinished, _item, lambda subject: reconcile_person(subject, dependencies))


async def expire_grants(turns: Turns, dependencies: Dependencies, *, since: datetime = BEGINNING) -> int:
    """End grants that have run out after a time, and return for how many persons."""

    async def due(without: AbstractSet[str]) -> Sequence[str]:
        return await dependencies.store.due(dependencies.clock.now(), limit=_BATCH, since=since, without=without)

    return await turns.take(due, _item, lambda subject: reconcile_person(subject, dependencies))


def _item(subject: str) -> Item:
    return Item(subject, subject)
