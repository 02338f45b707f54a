"""Opening of keys: what a person's consent opens at this moment."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from uuid import UUID

from services.ingest.domain.records import MediaRow, UploadRow
from services.ingest.domain.upload_plan import OlderMedia
from services.ingest.errors import UploadNotFound
from services.ingest.operations.dependencies import Dependencies
from services.keyring import Purpose, PurposeNotGranted


async def open_row_keys(
    dependencies: Dependencies, subject: str, rows: Sequence[MediaRow] | Sequence[UploadRow]
) -> dict[UUID, bytes]:
    """Return by row the keys of those media or uploads that still open, a request for each purpose."""
    opened: dict[UUID, bytes] = {}
    with_key = [row for row in rows if row.data_key_id is not None]
    for purpose, group in groupby(sorted(with_key, key=lambda row: row.purpose), key=lambda row: row.purpose):
        of_purpose = list(group)
        keys = await _open(dependencies, subject, purpose, [str(row.data_key_id) for row in of_purpose])
        opened |= {row.id: keys[str(row.data_key_id)] for row in of_purpose if str(row.data_key_id) in keys}
    return opened


async def open_upload_key(dependencies: Dependencies, row: UploadRow) -> tuple[UUID, bytes]:
    """Return the id and the key of an open upload; asked for with every chunk, so that a withdrawal stops the work.

    Raises:
        PurposeNotGranted: the purpose was withdrawn.
        UploadNotFound: the upload's key was destroyed.
    """
    if row.data_key_id is not None:
        id_ = str(row.data_key_id)
        keys = await dependencies.keyring.open(subject=row.subject, purpose=row.purpose, ids=[id_])
        if id_ in keys:
            return row.data_key_id, keys[id_]
    raise UploadNotFound.of(row.id)


async def reach_of_older_media(dependencies: Dependencies, subject: str) -> OlderMedia:
    """Return how far back the person's grant of OLDER_MEDIA reaches."""
    try:
        return OlderMedia(granted=True, since=await dependencies.keyring.reach_back(subject=subject))
    except PurposeNotGranted:
        return OlderMedia(granted=False)


async def _open(dependencies: Dependencies, subject: str, purpose: Purpose, ids: Sequence[str]) -> Mapping[str, bytes]:
    try:
        return await dependencies.keyring.open(subject=subject, purpose=purpose, ids=ids)
    except PurposeNotGranted:
        return {}
