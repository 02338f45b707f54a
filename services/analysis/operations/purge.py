"""Purge executor: deletes media that can no longer be opened, on orders, and when the worker finds them so."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.analysis.domain.rows import DeletionSet
from services.analysis.operations.dependencies import Dependencies
from services.keyring import PURPOSES, DataKeyScope, PurgeOrder, PurgeScope, SubjectScope


async def execute(order: PurgeOrder, dependencies: Dependencies) -> Mapping[str, int]:
    """Carry a purge order out; doing it twice is the same as once.

    Fences and tombstones come first, so that nothing comes in late; objects go before the rows that name them, so
    that a crash between the two leaves something to find them by.

    Returns:
        What was deleted, by the stores' names in the data map.
    """
    deletion, records = await _close_scope(order.subject, order.scope, dependencies)
    await dependencies.objects.delete(dependencies.buckets.previews, deletion.objects)
    deleted = await dependencies.purge.delete_media(order.subject, deletion)
    if isinstance(order.scope, SubjectScope) and order.scope.account:
        await dependencies.purge.forget_person(order.subject, order.scope.erase_time)
    return {
        "analysis.table.media": deleted,
        "analysis.table.findings": records,
        "analysis.table.previews": deletion.previews,
        "analysis.bucket.previews": len(deletion.objects),
    }


async def delete(subject: str, data_key_ids: Sequence[UUID], dependencies: Dependencies) -> None:
    """Delete media with everything that was learnt of them.

    Args:
        subject: The person's pseudonym.
        data_key_ids: Keys of the originals: a media that was stored again under another one stays.
        dependencies: Where it is.
    """
    if data_key_ids:
        deletion = await dependencies.purge.deletion_set(subject, data_key_ids)
        await dependencies.objects.delete(dependencies.buckets.previews, deletion.objects)
        await dependencies.purge.delete_media(subject, deletion)


async def _close_scope(subject: str, scope: PurgeScope, dependencies: Dependencies) -> tuple[DeletionSet, int]:
    """Raise fences or write tombstones, whichever keep out what a scope covers."""
    if isinstance(scope, DataKeyScope):
        return await dependencies.purge.tombstone_keys(subject, scope.ids, dependencies.clock.now())
    if isinstance(scope, SubjectScope):
        return await dependencies.purge.fence_subject(subject, scope.revision, PURPOSES)
    return await dependencies.purge.fence_purpose(subject, scope.purpose, scope.revision)
