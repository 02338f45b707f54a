"""Lease of an upload: what one stream has of it while it writes, until a newer one takes it over."""

from services.chassis.errors import DomainError
from services.ingest.domain.quota import Quota
from services.ingest.domain.records import UploadRow
from services.ingest.errors import QuotaExceeded, UploadNotFound, UploadOffsetWrong, UploadTakenOver
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.open_keys import open_upload_key
from services.ingest.ports.outcomes import Addition
from services.keyring import PurposeNotGranted


class UploadLease:
    """The right to write an upload, and its row in the store.

    The row counts the streams that took it over, and a commit of any but the newest is refused; a stream of this
    process learns it at once. An upload that starts with its stream has no row until one is needed: a small one that
    arrives whole is stored complete.
    """

    def __init__(self, dependencies: Dependencies, row: UploadRow, *, is_stored: bool) -> None:
        self._dependencies = dependencies
        self._row = row
        self.memory = dependencies.memory.of(row.subject)
        self.taken_over = dependencies.writers.enter(row.subject, row.request_id)
        self.is_stored = is_stored

    async def store(self, received_bytes: int) -> None:
        """Store the upload if that was not needed before.

        Raises:
            UploadOffsetWrong: the same request or the same bytes came in by another stream meanwhile.
            QuotaExceeded: the person's share of the store was used up meanwhile.
            PurposeNotGranted: the purpose was withdrawn meanwhile.
        """
        if not self.is_stored:
            quota = self._dependencies.policy.quota
            added = await self._dependencies.uploads.add(self._row, quota=quota)
            if added is Addition.TAKEN and not await self._is_there():
                raise await self._other(received_bytes)
            if added not in {Addition.ADDED, Addition.TAKEN}:
                raise refusal(self._row, added, quota=quota)
            self.is_stored = True

    async def lost(self) -> DomainError:
        """Return why a commit was refused."""
        row = await self._dependencies.uploads.find(self._row.subject, self._row.id)
        if row is not None and row.writer != self._row.writer:
            return UploadTakenOver.of(row.id)
        try:
            await open_upload_key(self._dependencies, self._row)
        except DomainError as error:
            return error
        return UploadNotFound.of(self._row.id)

    async def give_up(self) -> None:
        """Forget the upload with all that was received of it, unless a newer stream has it."""
        if self.is_stored:
            row, now = self._row, self._dependencies.clock.now()
            await self._dependencies.uploads.cancel(row.subject, row.id, now, writer=row.writer)

    async def release(self) -> None:
        """End the writing; a key that sealed nothing which was stored is destroyed.

        The store is asked: the answer to what was stored may have been lost. Who cannot ask leaves the key to its end.
        """
        self.memory.release()
        self._dependencies.writers.leave(self._row.subject, self._row.request_id, self.taken_over)
        if not self.is_stored and not await self._is_there():
            await self._dependencies.keyring.destroy(subject=self._row.subject, ids=[str(self._row.data_key_id)])

    async def _is_there(self) -> bool:
        return await self._dependencies.uploads.find(self._row.subject, self._row.id) is not None

    async def _other(self, received_bytes: int) -> DomainError:
        row = self._row
        survey = await self._dependencies.uploads.survey(
            row.subject, row.request_id, bytes_tag=row.bytes_tag, tag=row.tag
        )
        if not survey.earlier:
            return UploadNotFound.of(row.id)
        other = survey.earlier[0]
        return UploadOffsetWrong.of(other.id, offset=received_bytes, committed_bytes=other.committed_bytes)


def refusal(row: UploadRow, addition: Addition, *, quota: Quota) -> DomainError:
    """Return the error for an upload that the store did not take."""
    if addition is Addition.NO_ROOM:
        return QuotaExceeded.of(quota.size_bytes)
    return PurposeNotGranted(f"{row.purpose} was withdrawn: grant it first", metadata={"purpose": row.purpose})
