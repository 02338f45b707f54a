"""Orders to delete what can no longer be opened, carried out: objects first, then the rows that name them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.chassis.object_store import ObjectStore
from services.ingest.domain import BUCKET, Purpose
from services.keyring import PurgeOrder, PurposeScope, SubjectScope

BUCKET_STORE = "ingest.bucket.media"


class PurgeTables(Protocol):
    """The tables that a purge deletes from."""

    async def raise_fences(self, subject: str, purposes: Sequence[Purpose], revision: int) -> None:
        """Lets nothing in any more that was sealed under this revision of a purpose's key, or an older one."""

    async def objects(self, order: PurgeOrder) -> list[str]:
        """Returns the objects of what must go."""

    async def delete(self, order: PurgeOrder) -> tuple[Mapping[str, int], list[str]]:
        """Deletes the rows of what must go; returns how many of each store, and objects that came in meanwhile."""


async def execute(order: PurgeOrder, *, tables: PurgeTables, objects: ObjectStore) -> Mapping[str, int]:
    """Carries an order out and returns what was deleted in each store; once more is the same as once.

    The objects go before their rows, so that a crash in between leaves the rows to find them by.
    """
    await _raise_fences(order, tables)
    doomed = await tables.objects(order)
    await objects.delete(BUCKET, doomed)
    deleted, late = await tables.delete(order)
    await objects.delete(BUCKET, late)
    return {**deleted, BUCKET_STORE: len(doomed) + len(late)}


async def _raise_fences(order: PurgeOrder, tables: PurgeTables) -> None:
    match order.scope:
        case PurposeScope(purpose, revision) if purpose in set(Purpose):
            await tables.raise_fences(order.subject, [Purpose(purpose)], revision)
        case SubjectScope(revision, _):
            await tables.raise_fences(order.subject, list(Purpose), revision)
        case _:
            return
