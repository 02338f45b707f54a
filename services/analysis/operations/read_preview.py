"""The reduced copies of a media, opened for its owner."""

from uuid import UUID

from services.analysis.domain.media import PreviewSize
from services.analysis.errors import MediaNotFound, MediaParked, PreviewNotReady
from services.analysis.operations.dependencies import Dependencies
from services.analysis.ports import MediaStatus, StoredPreview
from services.chassis.object_store import ObjectMissing
from services.chassis.seal import SealBroken, open_object
from services.keyring import Keyring, Purpose, PurposeNotGranted, artefact_aad


async def read_preview(subject: str, media: UUID, size: PreviewSize, dependencies: Dependencies) -> bytes:
    """Return a reduced copy of a media as JPEG.

    Raises:
        MediaNotFound: the person has no such media, or it can no longer be opened.
        MediaParked: it could not be analysed, and has none.
        PreviewNotReady: it is still waiting.
    """
    status = await dependencies.library.status(subject, media)
    preview = await dependencies.library.preview(subject, media, size)
    if status is None:
        raise MediaNotFound.of(media)
    key_id = str(status.data_key_id if preview is None else preview.data_key_id)
    key = await _open_key(subject, status.purpose, key_id, dependencies.keyring)
    if key is None:
        raise MediaNotFound.of(media)
    if preview is None:
        raise _no_preview(status)
    return await _open_preview(preview, key, status.purpose, dependencies)


async def _open_key(subject: str, purpose: Purpose, id_: str, keyring: Keyring) -> bytes | None:
    try:
        return (await keyring.open(subject=subject, purpose=purpose, ids=[id_])).get(id_)
    except PurposeNotGranted:
        return None


async def _open_preview(preview: StoredPreview, key: bytes, purpose: Purpose, dependencies: Dependencies) -> bytes:
    place = preview.object, preview.byte_offset, preview.byte_count
    try:
        pieces = dependencies.objects.stream(dependencies.buckets.previews, *place)
        sealed = b"".join([piece async for piece in pieces])
        return open_object(key, sealed, artefact_aad(preview.data_key_id, purpose))
    except (ObjectMissing, SealBroken):
        # It was replaced or deleted between the row and the object.
        raise MediaNotFound.of(preview.media_id) from None


def _no_preview(status: MediaStatus) -> MediaParked | PreviewNotReady:
    if status.parked_reason is None:
        return PreviewNotReady.of(status.id)
    return MediaParked.of(status.id, status.parked_reason)
