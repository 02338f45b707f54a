"""Receiving of an upload's bytes: one writer, whole sealed chunks, nothing lost but the chunk that had not filled.

When a stream breaks, what it brought is put into the store and the offset committed in the background, once the call
has ended. A resumed stream goes on with the same key and the same nonces, which is safe because only the bytes whose
SHA-256 was announced before the first of them become a media.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from services.chassis.errors import FieldInvalid
from services.chassis.seal import open_bytes
from services.ingest.domain.media import CHUNK_LIMIT, Announcement, Media, Upload
from services.ingest.domain.records import UploadRow
from services.ingest.domain.seals import announcement_aad
from services.ingest.errors import ContentRefused, UploadInProgress, UploadOffsetWrong
from services.ingest.operations.complete_upload import complete
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_media import get_media
from services.ingest.operations.find_uploads import find_upload, open_upload
from services.ingest.operations.open_keys import open_upload_key
from services.ingest.operations.start_upload import prepare
from services.ingest.operations.upload_lease import UploadLease
from services.ingest.operations.upload_stream import UploadStream

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Received:
    """How a stream ended; `media` if the upload is complete."""

    upload: Upload
    media: Media | None = None


async def receive(
    dependencies: Dependencies, *, subject: str, upload_id: UUID, offset: int, chunks: AsyncIterator[bytes]
) -> Received:
    """Receives bytes of an upload from `offset` on.

    Raises:
        UploadNotFound: the person has no such upload, or its time is over.
        UploadInProgress: another stream is writing it.
        UploadOffsetWrong: the committed bytes end elsewhere.
        ContentRefused: the bytes are not what may be kept; the upload is given up.
        PurposeNotGranted: the purpose was withdrawn, perhaps while the stream ran.
    """
    row = await find_upload(dependencies, subject, upload_id)
    if row.complete_time is not None:
        return await _complete(dependencies, row)
    if not await dependencies.locks.acquire(upload_id):
        raise UploadInProgress.of(upload_id)
    lease = UploadLease(dependencies, row, is_locked=True, is_stored=True)
    # Read again under the lock: the writer before may have gone further, or to the end.
    return await _holding(dependencies, lease, _resume(dependencies, lease, subject, upload_id, offset), chunks)


async def start_and_receive(
    dependencies: Dependencies,
    *,
    subject: str,
    request_id: UUID,
    announcement: Announcement,
    chunks: AsyncIterator[bytes],
    offset: int = 0,
) -> Received:
    """Start an upload, or go on with the one that the request started; raises what starting and receiving raise."""
    prepared = await prepare(dependencies, subject=subject, request_id=request_id, announcement=announcement)
    if prepared.key is None:
        return await receive(dependencies, subject=subject, upload_id=prepared.row.id, offset=offset, chunks=chunks)
    lease = UploadLease(dependencies, prepared.row, is_locked=False, is_stored=False)
    key_id, key = UUID(prepared.key.id), prepared.key.key
    stream = UploadStream(dependencies, lease, prepared.row, announcement, key_id, key)
    return await _holding(dependencies, lease, _begin(stream, offset), chunks)


async def _holding(
    dependencies: Dependencies,
    lease: UploadLease,
    beginning: Coroutine[object, object, UploadStream],
    chunks: AsyncIterator[bytes],
) -> Received:
    """Receive under the lease; what a broken stream leaves is saved in the background."""
    transfer = _Transfer(dependencies, lease)
    try:
        received = await transfer.run(await beginning, chunks)
    except asyncio.CancelledError:
        dependencies.background.start(transfer.save_and_release())
        raise
    except BaseException:
        await asyncio.shield(dependencies.background.start(transfer.save_and_release()))
        raise
    if received.media is None:
        await lease.release()
    else:
        dependencies.background.start(lease.release())
    return received


async def _complete(dependencies: Dependencies, row: UploadRow) -> Received:
    media = await get_media(dependencies, subject=row.subject, media_id=row.media_id)
    return Received(await open_upload(dependencies, row) or row.to_upload(""), media)


async def _begin(stream: UploadStream, offset: int) -> UploadStream:
    if offset:
        raise UploadOffsetWrong.of(stream.row.id, offset=offset, committed_bytes=0)
    return stream


async def _resume(
    dependencies: Dependencies, lease: UploadLease, subject: str, upload_id: UUID, offset: int
) -> UploadStream:
    row = await find_upload(dependencies, subject, upload_id)
    if row.complete_time is not None or offset != row.committed_bytes:
        raise UploadOffsetWrong.of(upload_id, offset=offset, committed_bytes=row.committed_bytes)
    data_key_id, key = await open_upload_key(dependencies, row)
    sealed = open_bytes(key, row.sealed_announcement, announcement_aad(data_key_id))
    stream = UploadStream(dependencies, lease, row, Announcement.from_bytes(sealed), data_key_id, key)
    await stream.replay()
    return stream


class _Steps:
    """Runs steps that must not be left half done: a caller that is cancelled leaves, the step goes on."""

    def __init__(self) -> None:
        self._running: asyncio.Task[object] | None = None

    async def run(self, step: Coroutine[object, object, ResultT]) -> ResultT:
        """Runs one step."""
        task = asyncio.create_task(step)
        self._running = task
        return await asyncio.shield(task)

    async def wait(self) -> None:
        """Waits for the step that a cancelled caller left."""
        if self._running is not None:
            await asyncio.wait({self._running})
            self._running.exception()


class _Transfer:
    """Transfer of a stream's bytes into an upload that it has the lease of."""

    def __init__(self, dependencies: Dependencies, lease: UploadLease) -> None:
        self._dependencies = dependencies
        self._lease = lease
        self._steps = _Steps()
        self._unsaved: UploadStream | None = None

    async def run(self, stream: UploadStream, chunks: AsyncIterator[bytes]) -> Received:
        """Receives what comes."""
        self._unsaved = stream
        try:
            await self._take_all(stream, chunks)
            return await self._steps.run(self._end(stream))
        except ContentRefused as error:
            self._unsaved = None
            await self._steps.run(self._lease.give_up())
            raise error.about(stream.announcement.asset.file_name) from None

    async def save_and_release(self) -> None:
        """Commits what a broken stream brought, and lets the upload go."""
        try:
            await self._steps.wait()
            if self._unsaved is not None:
                await self._unsaved.commit_whole_chunks()
        finally:
            await self._lease.release()

    async def _take_all(self, stream: UploadStream, chunks: AsyncIterator[bytes]) -> None:
        """Takes chunks until they end, or until none has come for too long."""
        while (chunk := await _next(chunks, self._dependencies.policy.idle_seconds)) is not None:
            if len(chunk) > CHUNK_LIMIT:
                raise FieldInvalid.of("chunk", f"send at most {CHUNK_LIMIT} bytes in a message")
            await self._check_consent(stream.row)
            await self._steps.run(stream.take(chunk))

    async def _check_consent(self, row: UploadRow) -> None:
        try:
            await open_upload_key(self._dependencies, row)
        except BaseException:
            self._unsaved = None
            raise

    async def _end(self, stream: UploadStream) -> Received:
        await self._check_consent(stream.row)
        if not stream.is_whole:
            await stream.commit_whole_chunks()
            await self._lease.store()
            self._unsaved = None
            return Received(stream.row.to_upload(stream.announcement.asset.client_id))
        self._unsaved = None
        media = await complete(self._dependencies, stream)
        row = stream.row
        done = replace(
            row, committed_bytes=row.size_bytes, media_id=media.id, complete_time=self._dependencies.clock.now()
        )
        return Received(done.to_upload(stream.announcement.asset.client_id), media)


async def _next(chunks: AsyncIterator[bytes], seconds: float) -> bytes | None:
    try:
        async with asyncio.timeout(seconds):
            return await anext(chunks, None)
    except TimeoutError:
        return None
