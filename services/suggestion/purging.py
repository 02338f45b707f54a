"""Deleting what can no longer be opened, when the retention service says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.chassis.clock import Clock
from services.chassis.object_store import ObjectStore
from services.keyring import DataKeyScope, PurgeOrder, PurgeScope, PurposeScope, SubjectScope
from services.suggestion.collection import PURPOSE
from services.suggestion.ports import Database, Store

PURPOSES = (
    "CLOUD_PROCESSING",
    "OLDER_MEDIA",
    "LOCATION",
    "FACE_GROUPING",
    "GENERATIVE_EDITING",
    "MODEL_IMPROVEMENT",
)


async def execute(
    order: PurgeOrder, *, database: Database, objects: ObjectStore, bucket: str, clock: Clock
) -> Mapping[str, int]:
    """Carry an order out; return what was deleted in each store. Twice is the same as once.

    Fences and tombstones come first, so that nothing made under an old key comes in while the rest is deleted;
    objects go before the rows that name them. What is left of the photos may give other ideas: they are made anew.
    """
    now = clock.now()
    async with database.locked(order.subject) as store:
        doomed = await _doomed(store, order, now)
        renditions = await store.renditions(doomed)
    await objects.delete(bucket, [row.object for row in renditions])
    async with database.locked(order.subject) as store:
        counts = {
            "suggestion.table.suggestion": await store.delete_suggestions(doomed),
            "suggestion.table.rendition": len(renditions),
            "suggestion.bucket.renditions": len(renditions),
        }
        if isinstance(order.scope, SubjectScope):
            counts["suggestion.table.act"] = await store.delete_acts(order.subject, order.scope.erase_time)
            counts["suggestion.table.due"] = await store.delete_due(order.subject)
        elif _leaves_photos(order.scope, doomed):
            await store.mark_due(order.subject, now)
        await store.notify(order.subject)
    return counts


async def _doomed(store: Store, order: PurgeOrder, now: datetime) -> Sequence[UUID]:
    scope = order.scope
    if isinstance(scope, DataKeyScope):
        await store.bury_keys(scope.ids, now)
        return await store.sealed_under(scope.ids)
    purposes = PURPOSES if isinstance(scope, SubjectScope) else (scope.purpose,)
    for purpose in purposes:
        await store.raise_fence(order.subject, purpose, scope.revision)
    return await store.made_under(order.subject, purposes, scope.revision)


def _leaves_photos(scope: PurgeScope, doomed: Sequence[UUID]) -> bool:
    """Return whether there may be other ideas now that some photos, or what was learnt for a purpose, are gone."""
    return scope.purpose != PURPOSE if isinstance(scope, PurposeScope) else bool(doomed)
