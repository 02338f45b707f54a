"""Finding of an upload by its name."""

from uuid import UUID

from services.ingest.domain.media import Upload
from services.ingest.domain.records import UploadRow
from services.ingest.errors import UploadNotFound
from services.ingest.operations.dependencies import Dependencies


async def get_upload(dependencies: Dependencies, *, subject: str, upload_id: UUID) -> Upload:
    """Return an upload; raises what `find_upload` raises."""
    return (await find_upload(dependencies, subject, upload_id)).to_upload()


async def find_upload(dependencies: Dependencies, subject: str, upload_id: UUID) -> UploadRow:
    """Return the row of an upload.

    Raises:
        UploadNotFound: the person has none of this name, or its time is over.
    """
    row = await dependencies.uploads.find(subject, upload_id)
    if row is None or row.expire_time <= dependencies.clock.now():
        raise UploadNotFound.of(upload_id)
    return row
