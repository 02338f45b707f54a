"""Deleting what can no longer be opened, when the retention service says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.chassis.object_store import ObjectStore
from services.keyring import DataKeyScope, PurgeOrder, PurposeScope, SubjectScope
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


async def execute(order: PurgeOrder, *, database: Database, objects: ObjectStore, bucket: str) -> Mapping[str, int]:
    """Carry an order out; return what was deleted in each store. Twice is the same as once.

    The fence rises first, so that nothing made under the old key comes in while the rest is deleted; objects go
    before the rows that name them.
    """
    async with database.locked(order.subject) as store:
        doomed = await _doomed(store, order)
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
        await store.notify(order.subject)
    return counts


async def _doomed(store: Store, order: PurgeOrder) -> Sequence[UUID]:
    scope = order.scope
    if isinstance(scope, DataKeyScope):
        return await store.sealed_under(scope.ids)
    fenced = PURPOSES if isinstance(scope, SubjectScope) else (scope.purpose,)
    for purpose in fenced:
        await store.raise_fence(order.subject, purpose, scope.revision)
    if isinstance(scope, PurposeScope) and scope.purpose != PURPOSE:
        return []
    return await store.made_under(order.subject, scope.revision)
