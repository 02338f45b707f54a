"""Removal of suggestions that hold no more."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.suggestion.operations.dependencies import Dependencies


async def remove(dependencies: Dependencies, subject: str, suggestion_ids: Sequence[UUID]) -> None:
    """Remove suggestions: keys first, then objects, then rows."""
    if not suggestion_ids:
        return
    async with dependencies.database.transaction() as store:
        rows = [row for row in await store.suggestions.of_person(subject) if row.id in set(suggestion_ids)]
        renditions = await store.suggestions.renditions([row.id for row in rows])
    keys = [str(row.data_key_id) for row in rows] + [str(row.data_key_id) for row in renditions]
    await dependencies.keyring.destroy(subject=subject, ids=keys)
    await dependencies.objects.delete(dependencies.bucket, [row.object for row in renditions])
    async with dependencies.database.locked(subject) as store:
        await store.suggestions.delete(suggestion_ids)
        await store.changes.deleted(subject, suggestion_ids)
