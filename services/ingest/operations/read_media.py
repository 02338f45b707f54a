"""Reading of a media: its bytes, unsealed piece by piece, for as long as its key opens."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from services.chassis.errors import DependencyUnavailable, DomainError
from services.chassis.object_store import ObjectMissing
from services.chassis.seal import CHUNK_SIZE, HEADER_SIZE, SealBroken, StreamOpener, chunk_position
from services.chassis.streams import checked_offset, chunks
from services.ingest.domain.media import BUCKET
from services.ingest.domain.records import MediaRow, Segment
from services.ingest.errors import MediaMissing, MediaNotFound
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_media import find_media, open_media
from services.ingest.operations.open_keys import open_row_keys
from services.keyring import artefact_aad

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class MediaBytes:
    """The bytes of a media from an offset on.

    Attributes:
        content_type: IANA media type of the whole.
        size_bytes: Of the whole.
        chunks: The bytes, in pieces of at most 1 MiB; ends with `MediaNotFound` if the media is erased meanwhile, and
            with `MediaMissing` where the store has lost them.
    """

    content_type: str
    size_bytes: int
    chunks: AsyncIterator[bytes]


async def read_media(dependencies: Dependencies, *, subject: str, media_id: UUID, offset: int = 0) -> MediaBytes:
    """Return what was uploaded, from `offset` on.

    Raises:
        MediaNotFound: the person has none of this name that opens.
        FieldInvalid: it has fewer bytes than `offset`.
    """
    row, key = await find_media(dependencies, subject, media_id)
    checked_offset(offset, row.size_bytes)
    content_type = open_media(dependencies, row, key).metadata.content_type
    return MediaBytes(content_type, row.size_bytes, _chunks(dependencies, row, key, offset))


async def _chunks(dependencies: Dependencies, row: MediaRow, key: bytes, offset: int) -> AsyncIterator[bytes]:
    if offset == row.size_bytes:
        return
    opened = _opened(dependencies, row, key, first_chunk=offset // CHUNK_SIZE)
    try:
        async for piece in chunks(opened, offset % CHUNK_SIZE):
            yield piece
    except (ObjectMissing, SealBroken) as error:
        raise await _unreadable(dependencies, row, broken=isinstance(error, SealBroken)) from error
    if row.missing and offset == 0:
        await dependencies.missing.unmark(row, opened=True)


async def _unreadable(dependencies: Dependencies, row: MediaRow, *, broken: bool) -> DomainError:
    """Tell what was erased or replaced meanwhile from what is lost, which is marked as such."""
    now = await dependencies.media.find(row.subject, row.id)
    if now is None or row.id not in await open_row_keys(dependencies, row.subject, [now]):
        return MediaNotFound.of(row.id)
    if now.data_key_id != row.data_key_id:
        return DependencyUnavailable("the media was replaced meanwhile: call again")
    if await dependencies.missing.mark(row, dependencies.clock.now(), broken=broken):
        _log.error("media_missing", count=1)
    return MediaMissing.of(row.id)


async def _opened(dependencies: Dependencies, row: MediaRow, key: bytes, *, first_chunk: int) -> AsyncIterator[bytes]:
    """Yield the plaintext of the chunks from one on."""
    segments = await dependencies.media.segments(row.data_key_id)
    header = await _header(dependencies, segments) if first_chunk else None
    opener = StreamOpener(key, artefact_aad(row.data_key_id, row.purpose), first_chunk=first_chunk, header=header)
    async for sealed in _sealed(dependencies, segments, chunk_position(first_chunk)):
        yield opener.update(sealed)
        if row.id not in await open_row_keys(dependencies, row.subject, [row]):
            raise MediaNotFound.of(row.id)
    yield opener.finish()


async def _header(dependencies: Dependencies, segments: Sequence[Segment]) -> bytes:
    found = dependencies.objects.stream(BUCKET, segments[0].object, 0, HEADER_SIZE)
    return b"".join([piece async for piece in found])


async def _sealed(dependencies: Dependencies, segments: Sequence[Segment], position: int) -> AsyncIterator[bytes]:
    """Yield the bytes of a sealed stream from a position on."""
    for segment in segments:
        if position < segment.size_bytes:
            async for piece in dependencies.objects.stream(BUCKET, segment.object, position):
                yield piece
        position = max(0, position - segment.size_bytes)
