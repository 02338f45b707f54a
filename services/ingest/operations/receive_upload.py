"""Receiving of an upload's bytes: one writer, the newest; nothing lost of what was committed.

When a stream breaks, what it brought is put into the store and the offset committed in the background. A resumed
stream goes on with the same key and nonces of its own, for another one may have sealed other bytes that were lost.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from uuid import UUID

from services.chassis.errors import FieldInvalid
from services.chassis.object_store import ObjectMissing
from services.chassis.seal import MAX_PARTS, SealBroken, open_bytes
from services.ingest.domain.media import Announcement, Media
from services.ingest.domain.records import UploadRow
from services.ingest.domain.seals import announcement_aad
from services.ingest.errors import MediaNotFound, UploadNotFound, UploadOffsetWrong
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_media import get_media
from services.ingest.operations.find_uploads import find_upload, open_upload
from services.ingest.operations.open_keys import open_upload_key
from services.ingest.operations.start_upload import Prepared, prepare
from services.ingest.operations.upload_lease import UploadLease
from services.ingest.operations.upload_stream import UploadStream
from services.ingest.operations.upload_transfer import Received, UploadTransfer
from services.keyring import DataKey

_ATTEMPTS = 2


async def receive(
    dependencies: Dependencies, *, subject: str, upload_id: UUID, offset: int, chunks: AsyncIterator[bytes]
) -> Received:
    """Receive bytes of an upload from `offset` on, taking it over from an older stream.

    Raises:
        UploadNotFound: the person has no such upload, or its time is over.
        UploadTakenOver: a newer stream has come.
        UploadOffsetWrong: the committed bytes end elsewhere.
        ContentRefused: the bytes are not what may be kept; the upload is given up.
        PurposeNotGranted: the purpose was withdrawn, perhaps while the stream ran.
    """
    await find_upload(dependencies, subject, upload_id)
    taken = await dependencies.uploads.take_over(subject, upload_id)
    if taken is None:
        return await _complete(dependencies, await find_upload(dependencies, subject, upload_id))
    row, tail = taken
    lease = UploadLease(dependencies, row, is_stored=True)
    return await _leasing(dependencies, lease, _resume(dependencies, lease, row, tail, offset), chunks)


async def start_and_receive(
    dependencies: Dependencies,
    *,
    subject: str,
    request_id: UUID,
    announcement: Announcement,
    chunks: AsyncIterator[bytes],
    offset: int = 0,
) -> Received:
    """Start an upload, or go on with the one that the request started; raise what starting and receiving raise."""
    for _ in range(_ATTEMPTS):
        prepared = await prepare(dependencies, subject=subject, request_id=request_id, announcement=announcement)
        if prepared.key is not None:
            lease = UploadLease(dependencies, prepared.row, is_stored=False)
            stream = _begin(dependencies, lease, prepared, prepared.key, offset)
            return await _leasing(dependencies, lease, stream, chunks)
        try:
            return await receive(dependencies, subject=subject, upload_id=prepared.row.id, offset=offset, chunks=chunks)
        except MediaNotFound:  # what was kept of it died a moment ago
            continue
    raise UploadNotFound.of(prepared.row.id)


async def receive_whole(
    dependencies: Dependencies,
    *,
    subject: str,
    request_id: UUID,
    announcement: Announcement,
    chunks: AsyncIterator[bytes],
) -> Media:
    """Receive a file that is too small to be gone on with; what an older stream left of it is given up.

    Raises:
        FieldInvalid: fewer bytes than announced came.
        DomainError: as `start_and_receive`.
    """
    for _ in range(_ATTEMPTS):
        prepared = await prepare(dependencies, subject=subject, request_id=request_id, announcement=announcement)
        row = prepared.row
        if prepared.key is not None:
            lease = UploadLease(dependencies, row, is_stored=False)
            stream = _begin(dependencies, lease, prepared, prepared.key, 0)
            return await _whole(dependencies, row, await _leasing(dependencies, lease, stream, chunks))
        if row.complete_time is None:
            await dependencies.uploads.cancel(subject, row.id, dependencies.clock.now())
            continue
        try:
            return await get_media(dependencies, subject=subject, media_id=row.media_id)
        except MediaNotFound:  # what was kept of it died a moment ago
            continue
    raise UploadNotFound.of(row.id)


async def _whole(dependencies: Dependencies, row: UploadRow, received: Received) -> Media:
    if received.media is None:
        await dependencies.uploads.cancel(row.subject, row.id, dependencies.clock.now())
        raise FieldInvalid.of("chunk", f"send the {row.size_bytes} bytes that were announced")
    return received.media


async def _leasing(
    dependencies: Dependencies,
    lease: UploadLease,
    beginning: Coroutine[object, object, UploadStream],
    chunks: AsyncIterator[bytes],
) -> Received:
    """Receive under a lease; what a broken stream leaves is saved in the background."""
    transfer = UploadTransfer(dependencies, lease)
    try:
        received = await transfer.run(await beginning, chunks)
    except asyncio.CancelledError:
        dependencies.background.start(transfer.save_and_release())
        raise
    except BaseException:
        await dependencies.background.run(transfer.save_and_release())
        raise
    dependencies.background.start(lease.release())
    return received


async def _complete(dependencies: Dependencies, row: UploadRow) -> Received:
    media = await get_media(dependencies, subject=row.subject, media_id=row.media_id)
    return Received(await open_upload(dependencies, row) or row.to_upload(""), media)


async def _begin(
    dependencies: Dependencies, lease: UploadLease, prepared: Prepared, key: DataKey, offset: int
) -> UploadStream:
    _check_offset(prepared.row, offset)
    return UploadStream(dependencies, lease, prepared.row, prepared.announcement, UUID(key.id), key.key)


async def _resume(
    dependencies: Dependencies, lease: UploadLease, row: UploadRow, tail: bytes | None, offset: int
) -> UploadStream:
    _check_offset(row, offset)
    if row.chunked_bytes and row.writer >= MAX_PARTS:
        await lease.give_up()
        raise UploadNotFound.of(row.id)
    data_key_id, key = await open_upload_key(dependencies, row)
    sealed = open_bytes(key, row.sealed_announcement, announcement_aad(data_key_id))
    stream = UploadStream(dependencies, lease, row, Announcement.from_bytes(sealed), data_key_id, key)
    try:
        await stream.replay(tail)
    except (ObjectMissing, SealBroken) as error:  # the store has lost what was committed: the phone begins anew
        await lease.give_up()
        raise UploadNotFound.of(row.id) from error
    return stream


def _check_offset(row: UploadRow, offset: int) -> None:
    if offset != row.committed_bytes:
        raise UploadOffsetWrong.of(row.id, offset=offset, committed_bytes=row.committed_bytes)
