"""Sweep: uploads whose time is over, streams that nothing refers to, records that have outlived their use."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta

from services.chassis.clock import Clock
from services.chassis.failed_work.set_aside import Item, SetAside
from services.chassis.failed_work.turns import Turns
from services.chassis.object_store import ObjectStore
from services.ingest.domain.leftovers import Discard, ExpiredUpload
from services.ingest.domain.media import BUCKET
from services.ingest.ports import SweepTables, Uploads
from services.keyring import Keyring

_BATCH = 500
_REQUESTS_KEPT = timedelta(days=1)


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
        set_aside: SetAside,
        deletions_kept: timedelta,
    ) -> None:
        """Begins.

        Args:
            uploads: The uploads under way.
            tables: What runs out, and what is left over.
            objects: The object store.
            keyring: Destroys the keys of what is discarded.
            clock: Says what is over.
            set_aside: Where what failed is kept.
            deletions_kept: How long it is remembered that an owner deleted a media.
        """
        self._uploads = uploads
        self._tables = tables
        self._objects = objects
        self._keyring = keyring
        self._clock = clock
        self._upload_turns = Turns("expired_upload", set_aside, clock)
        self._discard_turns = Turns("discard", set_aside, clock)
        self._deletions_kept = deletions_kept

    async def expire_uploads(self) -> int:
        """Give up what was not completed in time and forgets what was; return how many uploads."""
        return await self._upload_turns.take(
            self._expired, lambda upload: Item(str(upload.id), upload.subject), self._expire
        )

    async def forget(self) -> None:
        """Forget deletions and requests that have outlived their use."""
        now = self._clock.now()
        await self._tables.forget_deleted(now - self._deletions_kept)
        await self._tables.forget_requests(now - _REQUESTS_KEPT)

    async def clear_discards(self) -> int:
        """Delete the objects of what was discarded, then destroy its keys; return how many streams."""
        return await self._discard_turns.take(
            self._discards, lambda discard: Item(str(discard.data_key_id), discard.subject), self._clear
        )

    async def _expired(self, without: AbstractSet[str]) -> Sequence[ExpiredUpload]:
        return await self._tables.expired_uploads(self._clock.now(), _BATCH, without)

    async def _expire(self, upload: ExpiredUpload) -> None:
        if upload.is_complete:
            await self._tables.delete_complete([upload.id])
        else:
            await self._uploads.discard(upload.subject, upload.id, self._clock.now())

    async def _discards(self, without: AbstractSet[str]) -> Sequence[Discard]:
        return await self._tables.discards(_BATCH, without)

    async def _clear(self, discard: Discard) -> None:
        await self._objects.delete(BUCKET, discard.objects)
        await self._keyring.destroy(subject=discard.subject, ids=[str(discard.data_key_id)])
        await self._tables.delete_discard(discard.data_key_id)
