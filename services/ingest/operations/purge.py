"""Purge executor: objects first, then the rows that name them."""

from collections.abc import Mapping

from services.chassis.object_store import ObjectStore
from services.ingest.domain.media import BUCKET, MEDIA_PURPOSES
from services.ingest.ports import PurgeTables
from services.keyring import PurgeOrder, Purpose, PurposeScope, SubjectScope

BUCKET_STORE = "ingest.bucket.media"


async def execute(order: PurgeOrder, *, tables: PurgeTables, objects: ObjectStore) -> Mapping[str, int]:
    """Carries an order out and returns what was deleted in each store; once more is the same as once.

    The objects go before their rows, so that a crash in between leaves the rows to find them by.
    """
    await _raise_fences(order, tables)
    to_delete = await tables.objects(order)
    await objects.delete(BUCKET, to_delete)
    deleted, late = await tables.delete(order)
    await objects.delete(BUCKET, late)
    return {**deleted, BUCKET_STORE: len(to_delete) + len(late)}


async def _raise_fences(order: PurgeOrder, tables: PurgeTables) -> None:
    match order.scope:
        case PurposeScope(purpose, revision) if purpose in MEDIA_PURPOSES:
            await tables.raise_fences(order.subject, [Purpose(purpose)], revision)
        case SubjectScope(revision, _):
            await tables.raise_fences(order.subject, MEDIA_PURPOSES, revision)
        case _:
            return
