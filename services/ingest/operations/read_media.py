"""Reading of a media: its bytes, unsealed piece by piece, for as long as its key opens."""

from collections.abc import AsyncIterator
from uuid import UUID

from services.chassis.object_store import ObjectMissing
from services.chassis.seal import StreamOpener
from services.ingest.domain.media import BUCKET, CHUNK_LIMIT
from services.ingest.errors import MediaNotFound
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_media import find_media
from services.ingest.operations.open_keys import open_media_keys
from services.keyring import artefact_aad


async def read_media(dependencies: Dependencies, *, subject: str, media_id: UUID) -> AsyncIterator[bytes]:
    """Yields what was uploaded, in pieces of at most 1 MiB.

    Raises:
        MediaNotFound: the person has none of this name that opens, or it was erased while it was read.
    """
    row, key = await find_media(dependencies, subject, media_id)
    opener = StreamOpener(key, artefact_aad(row.data_key_id, row.purpose))
    try:
        for segment in await dependencies.media.segments(row.data_key_id):
            async for sealed in dependencies.objects.stream(BUCKET, segment.object):
                for piece in _pieces(opener.update(sealed)):
                    yield piece
                if row.id not in await open_media_keys(dependencies, subject, [row]):
                    raise MediaNotFound.of(media_id)
    except ObjectMissing as error:
        raise MediaNotFound.of(media_id) from error
    for piece in _pieces(opener.finish()):
        yield piece


def _pieces(data: bytes) -> list[bytes]:
    return [data[start : start + CHUNK_LIMIT] for start in range(0, len(data), CHUNK_LIMIT)]
