"""Purge executor: deletes what can no longer be opened, when the retention service orders it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.keyring import PURPOSES, DataKeyScope, PurgeOrder, PurgeScope, Purpose, PurposeScope, SubjectScope
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.ports import Store


async def execute(dependencies: Dependencies, order: PurgeOrder) -> Mapping[str, int]:
    """Carry an order out; return what was deleted in each store. Twice is the same as once.

    Fences and tombstones come first, so that nothing made under an old key comes in while the rest is deleted;
    objects go before the rows that name them. What is left of the photos may give other ideas: they are made anew.
    """
    now = dependencies.clock.now()
    async with dependencies.database.locked(order.subject) as store:
        hit = await _hit(store, order, now)
        renditions = await store.suggestions.renditions(hit)
    await dependencies.objects.delete(dependencies.bucket, [row.object for row in renditions])
    async with dependencies.database.locked(order.subject) as store:
        counts = {
            "suggestion.table.suggestion": await store.suggestions.delete(hit),
            "suggestion.table.rendition": len(renditions),
            "suggestion.bucket.renditions": len(renditions),
        }
        if isinstance(order.scope, SubjectScope):
            counts["suggestion.table.decision"] = await store.decisions.delete(order.subject, order.scope.erase_time)
            counts["suggestion.table.due"] = await store.refreshes.delete(order.subject)
        elif _leaves_photos(order.scope, hit):
            await store.refreshes.mark_due(order.subject, now)
        await _tell(store, order, hit)
    return counts


async def _tell(store: Store, order: PurgeOrder, hit: Sequence[UUID]) -> None:
    """Tell the feed what is gone, or end it with the account."""
    if isinstance(order.scope, SubjectScope) and order.scope.account:
        await store.changes.forget(order.subject, order.scope.erase_time)
    else:
        await store.changes.deleted(order.subject, hit)


async def _hit(store: Store, order: PurgeOrder, now: datetime) -> Sequence[UUID]:
    """Keep what the order hits from coming in again; return the suggestions that it hits."""
    scope = order.scope
    if isinstance(scope, DataKeyScope):
        await store.purges.tombstone_keys(scope.ids, now)
        return await store.purges.sealed_under(scope.ids)
    purposes = PURPOSES if isinstance(scope, SubjectScope) else (scope.purpose,)
    for purpose in purposes:
        await store.purges.raise_fence(order.subject, purpose, scope.revision)
    return await store.purges.made_under(order.subject, purposes, scope.revision)


def _leaves_photos(scope: PurgeScope, hit: Sequence[UUID]) -> bool:
    """Return whether there may be other ideas now that some photos, or what was learnt for a purpose, are gone."""
    return scope.purpose != Purpose.CLOUD_PROCESSING if isinstance(scope, PurposeScope) else bool(hit)
