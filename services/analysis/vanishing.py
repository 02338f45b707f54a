"""Deleting media that can no longer be opened: on orders, and when the worker finds them so."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from services.analysis.ports import Doomed
from services.analysis.tools import Tools
from services.keyring import DataKeyScope, PurgeOrder, PurgeScope, SubjectScope

FENCED = ("CLOUD_PROCESSING", "OLDER_MEDIA", "LOCATION", "FACE_GROUPING", "GENERATIVE_EDITING", "MODEL_IMPROVEMENT")
TOMBSTONE_LIFE = timedelta(days=60)
"""Longer than any key may live and any backup is kept."""
_BATCH = 200


async def execute(order: PurgeOrder, tools: Tools) -> Mapping[str, int]:
    """Carries a purge order out; doing it twice is the same as once.

    Fences and tombstones come first, so that nothing comes in late; objects go before the rows that name them, so
    that a crash between the two leaves something to find them by.

    Returns:
        What was deleted, by the stores' names in the data map.
    """
    doomed, records = await _bury(order.subject, order.scope, tools)
    await tools.objects.delete(tools.buckets.previews, doomed.objects)
    deleted = await tools.purging.delete_media(order.subject, doomed.media)
    return {
        "analysis.table.media": deleted,
        "analysis.table.findings": records,
        "analysis.table.previews": doomed.previews,
        "analysis.bucket.previews": len(doomed.objects),
    }


async def delete(subject: str, media: Sequence[UUID], tools: Tools) -> None:
    """Deletes media with everything that was learnt of them."""
    if media:
        doomed = await tools.purging.doom(subject, media)
        await tools.objects.delete(tools.buckets.previews, doomed.objects)
        await tools.purging.delete_media(subject, doomed.media)


async def delete_expired(tools: Tools) -> int:
    """Deletes what is past its time, whether or not an order says so; returns how many media."""
    expired = await tools.purging.expired(tools.clock.now(), _BATCH)
    for subject in {subject for subject, _ in expired}:
        await delete(subject, [media for owner, media in expired if owner == subject], tools)
    return len(expired)


async def _bury(subject: str, scope: PurgeScope, tools: Tools) -> tuple[Doomed, int]:
    if isinstance(scope, DataKeyScope):
        return await tools.purging.bury_keys(subject, scope.ids, tools.clock.now())
    if isinstance(scope, SubjectScope):
        return await tools.purging.bury_subject(subject, scope.revision, FENCED)
    return await tools.purging.bury_purpose(subject, scope.purpose, scope.revision)
