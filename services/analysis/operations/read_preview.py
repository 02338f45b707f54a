"""Previews of a person's media, opened for their owner: one, or many in one go."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from services.analysis.domain.media import PreviewSize
from services.analysis.domain.rows import MediaStatus, StoredPreview
from services.analysis.errors import MediaNotFound, MediaParked, PreviewNotReady
from services.analysis.operations.dependencies import Dependencies
from services.chassis.errors import DomainError
from services.chassis.object_store import ObjectMissing
from services.chassis.seal import SealBroken, open_object
from services.keyring import PurposeNotGranted, artefact_aad

PREVIEW_ERRORS = (MediaNotFound, MediaParked, PreviewNotReady)
"""Why one media has no preview; others may have theirs."""
_TOGETHER = 16
"""Previews in memory at a time: their reading overlaps, and a slow caller holds no more."""


_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class Preview:
    """The preview of one media as JPEG, or why there is none."""

    media: UUID
    content: bytes = field(default=b"", repr=False)
    error: DomainError | None = None


@dataclass(frozen=True)
class _Known:
    """What is in the tables of the media that are asked for, and which others exist: their events are on their way."""

    subject: str
    statuses: Mapping[UUID, MediaStatus]
    previews: Mapping[UUID, StoredPreview]
    coming: frozenset[UUID]

    def key_id(self, media: UUID) -> str:
        """Return the key whose being opened shows that a media still exists."""
        preview = self.previews.get(media)
        return str(self.statuses[media].data_key_id if preview is None else preview.data_key_id)


async def read_preview(subject: str, media: UUID, size: PreviewSize, dependencies: Dependencies) -> bytes:
    """Return the preview of a media as JPEG.

    Raises:
        MediaNotFound: the person has no such media, or it can no longer be opened.
        MediaParked: it could not be analysed, and has none.
        PreviewNotReady: it is still waiting.
    """
    known = await _look_up(subject, [media], size, dependencies)
    return await _content(media, known, await _open_keys(known, [media], dependencies), dependencies)


async def read_previews(
    subject: str, media: Sequence[UUID], size: PreviewSize, dependencies: Dependencies
) -> AsyncIterator[Preview]:
    """Yield the previews of media in the order asked for; what one lacks does not end the others.

    The keys of all are opened by one call; what a slow caller takes later than keys may be held is opened again.
    """
    known = await _look_up(subject, media, size, dependencies)
    await _open_keys(known, media, dependencies)
    for start in range(0, len(media), _TOGETHER):
        batch = media[start : start + _TOGETHER]
        keys = await _open_keys(known, batch, dependencies)
        for preview in await asyncio.gather(*(_preview(each, known, keys, dependencies) for each in batch)):
            yield preview


async def _look_up(subject: str, media: Sequence[UUID], size: PreviewSize, dependencies: Dependencies) -> _Known:
    library = dependencies.library
    statuses, previews = await asyncio.gather(
        library.statuses(subject, media), library.stored_previews(subject, media, size)
    )
    known = {row.id: row for row in statuses}
    coming = await _coming(subject, [each for each in media if each not in known], dependencies)
    return _Known(subject, known, {row.media_id: row for row in previews}, coming)


async def _coming(subject: str, unknown: Sequence[UUID], dependencies: Dependencies) -> frozenset[UUID]:
    """Return which media exist although nothing was heard of them yet."""
    if not unknown:
        return frozenset()
    names = {f"media/{each}": each for each in unknown}
    kept = await dependencies.keyring.kept_media(subject=subject, media=list(names))
    return frozenset(names[each] for each in kept)


async def _open_keys(known: _Known, media: Sequence[UUID], dependencies: Dependencies) -> Mapping[str, bytes]:
    """Open the keys of media with one call for each purpose that they are kept for."""
    keys: dict[str, bytes] = {}
    rows = [known.statuses[each] for each in dict.fromkeys(media) if each in known.statuses]
    for purpose in {row.purpose for row in rows}:
        ids = [known.key_id(row.id) for row in rows if row.purpose == purpose]
        try:
            keys |= await dependencies.keyring.open(subject=known.subject, purpose=purpose, ids=ids)
        except PurposeNotGranted:
            continue
    return keys


async def _preview(media: UUID, known: _Known, keys: Mapping[str, bytes], dependencies: Dependencies) -> Preview:
    try:
        return Preview(media, await _content(media, known, keys, dependencies))
    except PREVIEW_ERRORS as error:
        return Preview(media, error=error)


async def _content(media: UUID, known: _Known, keys: Mapping[str, bytes], dependencies: Dependencies) -> bytes:
    if media in known.coming:
        raise PreviewNotReady.of(media)
    status, preview = known.statuses.get(media), known.previews.get(media)
    key = None if status is None else keys.get(known.key_id(media))
    if status is None or key is None:
        raise MediaNotFound.of(media)
    if preview is None:
        raise _no_preview(status)
    return await _open(preview, key, known, dependencies)


async def _open(preview: StoredPreview, key: bytes, known: _Known, dependencies: Dependencies) -> bytes:
    place = preview.object, preview.byte_offset, preview.byte_count
    try:
        pieces = dependencies.objects.stream(dependencies.buckets.previews, *place)
        sealed = b"".join([piece async for piece in pieces])
        return open_object(key, sealed, artefact_aad(preview.data_key_id, known.statuses[preview.media_id].purpose))
    except (ObjectMissing, SealBroken):
        raise await _without_object(preview, known.subject, dependencies) from None


async def _without_object(preview: StoredPreview, subject: str, dependencies: Dependencies) -> DomainError:
    """Tell what was replaced or deleted meanwhile from what the store has lost, which is made again."""
    media = preview.media_id
    now = await _look_up(subject, [media], preview.size, dependencies)
    if media not in now.statuses or now.key_id(media) not in await _open_keys(now, [media], dependencies):
        return MediaNotFound.of(media)
    is_lost = now.previews.get(media) == preview
    if is_lost and await dependencies.work.renew_media(subject, media, dependencies.clock.now()):
        _log.error("preview_missing", media=f"media/{media}")
    return PreviewNotReady.of(media)


def _no_preview(status: MediaStatus) -> MediaParked | PreviewNotReady:
    if status.parked_reason is None:
        return PreviewNotReady.of(status.id)
    return MediaParked.of(status.id, status.parked_reason)
