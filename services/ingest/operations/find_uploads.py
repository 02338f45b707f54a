"""Finding of uploads: one by its name, or the open ones page by page."""

from collections.abc import Mapping
from uuid import UUID

from services.chassis.seal import open_bytes
from services.ingest.domain.media import Announcement, PageStart, Upload
from services.ingest.domain.records import UploadRow
from services.ingest.domain.seals import announcement_aad
from services.ingest.errors import UploadNotFound
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.open_keys import open_row_keys


async def get_upload(dependencies: Dependencies, *, subject: str, upload_id: UUID) -> Upload:
    """Return an upload.

    Raises:
        UploadNotFound: the person has none of this name, its time is over, or it does not open any more.
    """
    row = await find_upload(dependencies, subject, upload_id)
    upload = await open_upload(dependencies, row)
    if upload is None:
        raise UploadNotFound.of(upload_id)
    return upload


async def list_uploads(
    dependencies: Dependencies, *, subject: str, page_size: int, after: PageStart | None
) -> tuple[list[Upload], PageStart | None]:
    """Return a page of open uploads, newest first, and where the next begins.

    What no longer opens is left out, so that a page may hold less than it could.

    Raises:
        PurposeNotGranted: CLOUD_PROCESSING is not granted.
    """
    await dependencies.lookup_keys.open(subject)
    rows = await dependencies.uploads.page(subject, after, page_size + 1, now=dependencies.clock.now())
    last = rows[page_size - 1] if len(rows) > page_size else None
    following = None if last is None else PageStart(last.create_time, last.id)
    keys = await open_row_keys(dependencies, subject, rows[:page_size])
    found = [_opened(row, keys) for row in rows[:page_size]]
    return [upload for upload in found if upload is not None], following


async def find_upload(dependencies: Dependencies, subject: str, upload_id: UUID) -> UploadRow:
    """Return the row of an upload.

    Raises:
        UploadNotFound: the person has none of this name, or its time is over.
    """
    row = await dependencies.uploads.find(subject, upload_id)
    if row is None or row.expire_time <= dependencies.clock.now():
        raise UploadNotFound.of(upload_id)
    return row


async def open_upload(dependencies: Dependencies, row: UploadRow) -> Upload | None:
    """Return an upload as its owner sees it; None for an open one that does not open any more."""
    return _opened(row, await open_row_keys(dependencies, row.subject, [row]))


def _opened(row: UploadRow, keys: Mapping[UUID, bytes]) -> Upload | None:
    if row.id in keys and row.data_key_id is not None:
        sealed = open_bytes(keys[row.id], row.sealed_announcement, announcement_aad(row.data_key_id))
        return row.to_upload(Announcement.from_bytes(sealed).asset.client_id)
    return None if row.complete_time is None else row.to_upload("")
