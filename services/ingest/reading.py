"""The way back: a media's bytes, unsealed piece by piece, for as long as its key opens."""

from collections.abc import AsyncIterator
from uuid import UUID

from services.chassis.object_store import ObjectMissing
from services.chassis.seal import StreamOpener
from services.ingest.domain import BUCKET, CHUNK_LIMIT, stream_aad
from services.ingest.intake import Intake
from services.ingest.operations import find_media, media_not_found, open_keys


async def read_media(intake: Intake, *, subject: str, media_id: UUID) -> AsyncIterator[bytes]:
    """Yields what was uploaded, in pieces of at most 1 MiB.

    Raises:
        MediaNotFound: the person has none of this name that opens, or it was erased while it was read.
    """
    row, key = await find_media(intake, subject, media_id)
    opener = StreamOpener(key, stream_aad(row.data_key_id, row.purpose))
    try:
        for segment in await intake.media.segments(row.data_key_id):
            async for sealed in intake.objects.stream(BUCKET, segment.object):
                for piece in _pieces(opener.update(sealed)):
                    yield piece
                if row.id not in await open_keys(intake, subject, [row]):
                    raise media_not_found(media_id)
    except ObjectMissing as error:
        raise media_not_found(media_id) from error
    for piece in _pieces(opener.finish()):
        yield piece


def _pieces(data: bytes) -> list[bytes]:
    return [data[start : start + CHUNK_LIMIT] for start in range(0, len(data), CHUNK_LIMIT)]
