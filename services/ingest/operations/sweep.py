"""Sweep: uploads whose time is over, streams that nothing refers to, objects that no row names."""

from datetime import datetime, timedelta

import structlog

from services.chassis.clock import Clock
from services.chassis.object_store import ObjectStore
from services.ingest.domain.media import BUCKET
from services.ingest.ports import SweepTables, Uploads
from services.keyring import Keyring

_BATCH = 500
_REQUESTS_KEPT = timedelta(days=1)

_log = structlog.stdlib.get_logger()


class Sweep:
    """The steps of the sweep; each may run at any time, beside any other process's."""

    def __init__(
        self,
        *,
        uploads: Uploads,
        tables: SweepTables,
        objects: ObjectStore,
        keyring: Keyring,
        clock: Clock,
        orphan_grace: timedelta,
        deletions_kept: timedelta,
    ) -> None:
        """Begins.

        Args:
            uploads: The uploads under way.
            tables: What runs out, and what is left over.
            objects: The object store.
            keyring: Destroys the keys of what is discarded.
            clock: Says what is over.
            orphan_grace: How long an object that no row names may lie; longer than any put and its commit take.
            deletions_kept: How long it is remembered that an owner deleted a media.
        """
        self._uploads = uploads
        self._tables = tables
        self._objects = objects
        self._keyring = keyring
        self._clock = clock
        self._orphan_grace = orphan_grace
        self._deletions_kept = deletions_kept
        self._seen_first: dict[str, datetime] = {}

    async def expire_uploads(self) -> int:
        """Give up what was not completed in time and forgets what was; return how many uploads."""
        now, total = self._clock.now(), 0
        while rows := await self._tables.expired_uploads(now, _BATCH):
            for row in rows:
                if row.complete_time is None:
                    await self._uploads.discard(row.subject, row.id, now)
            await self._tables.delete_complete([row.id for row in rows if row.complete_time is not None])
            total += len(rows)
        await self._tables.forget_deleted(now - self._deletions_kept)
        await self._tables.forget_requests(now - _REQUESTS_KEPT)
        return total

    async def clear_discards(self) -> int:
        """Delete the objects of what was discarded, then destroy its keys; return how many streams."""
        total = 0
        while discards := await self._tables.discards(_BATCH):
            for discard in discards:
                await self._objects.delete(BUCKET, discard.objects)
                await self._keyring.destroy(subject=discard.subject, ids=[str(discard.data_key_id)])
                await self._tables.delete_discard(discard.data_key_id)
            total += len(discards)
        return total

    async def reconcile(self) -> int:
        """Remove objects that no row names, once the grace time has passed since they were first seen so.

        An object is put before the row that names it is written, so that one look proves nothing. Returns how many.
        """
        now = self._clock.now()
        unknown = await self._unknown_objects()
        self._seen_first = {name: self._seen_first.get(name, now) for name in unknown}
        orphans = [name for name, seen in self._seen_first.items() if now - seen >= self._orphan_grace]
        await self._objects.delete(BUCKET, orphans)
        for name in orphans:
            del self._seen_first[name]
        if orphans:
            _log.warning("orphans_removed", bucket=BUCKET, count=len(orphans))
        return len(orphans)

    async def _unknown_objects(self) -> set[str]:
        unknown: set[str] = set()
        batch: list[str] = []
        async for name in self._objects.list(BUCKET):
            batch.append(name)
            if len(batch) == _BATCH:
                unknown |= await self._tables.unknown_objects(batch)
                batch.clear()
        return unknown | (await self._tables.unknown_objects(batch) if batch else set())
