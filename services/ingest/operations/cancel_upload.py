"""Cancelling of an open upload."""

from uuid import UUID

from services.ingest.errors import UploadComplete, UploadNotFound
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_uploads import find_upload


async def cancel_upload(dependencies: Dependencies, *, subject: str, upload_id: UUID) -> None:
    """Give an open upload up: what was received is discarded, and its share of the store is free again.

    Raises:
        UploadNotFound: the person has none of this name, or its time is over.
        UploadComplete: there is a media of it already.
    """
    row = await find_upload(dependencies, subject, upload_id)
    if row.complete_time is None and await dependencies.uploads.cancel(subject, upload_id, dependencies.clock.now()):
        return
    row = await find_upload(dependencies, subject, upload_id)
    if row.complete_time is None:
        raise UploadNotFound.of(upload_id)
    raise UploadComplete.of(upload_id, row.media_id)
