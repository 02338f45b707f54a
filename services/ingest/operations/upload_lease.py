"""Lease of an upload: what one stream has of it while it writes."""

from services.chassis.errors import DomainError
from services.ingest.domain.records import UploadRow
from services.ingest.errors import QuotaExceeded, UploadInProgress
from services.ingest.operations.dependencies import Dependencies
from services.ingest.ports import Addition
from services.keyring import PurposeNotGranted


class UploadLease:
    """The writer's lock on an upload, and its row in the store.

    An upload that starts with its stream has neither until they are needed: a small one that arrives whole is stored
    complete, and no other stream can know its name before.
    """

    def __init__(self, dependencies: Dependencies, row: UploadRow, *, is_locked: bool, is_stored: bool) -> None:
        self._dependencies = dependencies
        self._row = row
        self._is_locked = is_locked
        self.is_stored = is_stored

    async def store(self) -> None:
        """Store the upload if that was not needed before.

        Raises:
            UploadInProgress: the same request or the same bytes came in by another stream meanwhile.
            QuotaExceeded: the person's share of the store was used up meanwhile.
            PurposeNotGranted: the purpose was withdrawn meanwhile.
        """
        if not self.is_stored:
            dependencies, row = self._dependencies, self._row
            self._is_locked = self._is_locked or await dependencies.locks.acquire(row.id)
            added = await dependencies.uploads.add(row, quota_bytes=dependencies.policy.quota_bytes)
            if added is not Addition.ADDED:
                raise refusal(row, added, quota_bytes=dependencies.policy.quota_bytes)
            self.is_stored = True

    async def give_up(self) -> None:
        """Forget the upload with all that was received of it."""
        if self.is_stored:
            await self._dependencies.uploads.discard(self._row.subject, self._row.id, self._dependencies.clock.now())

    async def release(self) -> None:
        """Give the lock back; a key that sealed nothing which was stored is destroyed."""
        if self._is_locked:
            self._is_locked = False
            await self._dependencies.locks.release(self._row.id)
        if not self.is_stored:
            await self._dependencies.keyring.destroy(subject=self._row.subject, ids=[str(self._row.data_key_id)])


def refusal(row: UploadRow, addition: Addition, *, quota_bytes: int) -> DomainError:
    """Return the error for an upload that the store did not take."""
    if addition is Addition.NO_ROOM:
        return QuotaExceeded.of(quota_bytes)
    if addition is Addition.TAKEN:
        return UploadInProgress.of(row.id)
    return PurposeNotGranted(f"{row.purpose} was withdrawn: grant it first", metadata={"purpose": row.purpose})
