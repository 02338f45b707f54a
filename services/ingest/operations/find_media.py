"""Finding of one media by its name."""

from uuid import UUID

from services.chassis.seal import open_bytes
from services.ingest.domain.media import Media
from services.ingest.domain.records import MediaRow
from services.ingest.errors import MediaNotFound
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.open_keys import open_row_keys
from services.keyring import metadata_aad


async def get_media(dependencies: Dependencies, *, subject: str, media_id: UUID) -> Media:
    """Return one media.

    Raises:
        MediaNotFound: the person has none of this name that opens.
    """
    row, key = await find_media(dependencies, subject, media_id)
    return open_media(dependencies, row, key)


async def find_media(dependencies: Dependencies, subject: str, media_id: UUID) -> tuple[MediaRow, bytes]:
    """Return a media's row and key.

    Raises:
        MediaNotFound: the person has none of this name that opens.
    """
    row = await dependencies.media.find(subject, media_id)
    key = None if row is None else (await open_row_keys(dependencies, subject, [row])).get(row.id)
    if row is None or key is None:
        raise MediaNotFound.of(media_id)
    return row, key


def open_media(dependencies: Dependencies, row: MediaRow, key: bytes) -> Media:
    """Return a media as its owner sees it."""
    metadata = dependencies.codec.decode_metadata(open_bytes(key, row.sealed_metadata, metadata_aad(row.data_key_id)))
    return Media(row.id, metadata, row.purpose, row.upload_time, row.delete_time, row.missing)
