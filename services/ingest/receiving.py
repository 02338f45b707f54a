"""The receiving of bytes: one writer, whole sealed chunks, nothing lost but the chunk that had not filled.

When a stream breaks, what it brought is put into the store and the offset committed in the aftermath of the call. A
resumed stream goes on with the same key and the same nonces, which is safe because only the bytes whose SHA-256 was
announced before the first of them become a media.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from services.chassis.errors import FieldInvalid
from services.chassis.seal import open_bytes
from services.ingest.completing import complete
from services.ingest.domain import CHUNK_LIMIT, Announcement, Media, Upload, announcement_aad, upload_name
from services.ingest.errors import ContentRefused, UploadOffsetWrong
from services.ingest.intake import Intake
from services.ingest.operations import get_media, open_upload_key, upload_not_found
from services.ingest.reception import Hold, Reception
from services.ingest.records import UploadRow
from services.ingest.starting import prepare, upload_in_progress

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Received:
    """How a stream ended; `media` if the upload is complete."""

    upload: Upload
    media: Media | None = None


async def receive(
    intake: Intake, *, subject: str, upload_id: UUID, offset: int, chunks: AsyncIterator[bytes]
) -> Received:
    """Receives bytes of an upload from `offset` on.

    Raises:
        UploadNotFound: the person has no such upload, or its time is over.
        UploadInProgress: another stream is writing it.
        UploadOffsetWrong: the committed bytes end elsewhere.
        ContentRefused: the bytes are not what may be kept; the upload is given up.
        PurposeNotGranted: the purpose was withdrawn, perhaps while the stream ran.
    """
    row = await _find(intake, subject, upload_id)
    if row.complete_time is not None:
        return Received(row.shown(), await get_media(intake, subject=subject, media_id=row.media_id))
    if not await intake.locks.acquire(upload_id):
        raise upload_in_progress(upload_id)
    hold = Hold(intake, row, is_locked=True, is_stored=True)
    # Read again under the lock: the writer before may have gone further, or to the end.
    return await _holding(intake, hold, _resume(intake, hold, subject, upload_id, offset), chunks)


async def start_and_receive(
    intake: Intake, *, subject: str, request_id: UUID, announcement: Announcement, chunks: AsyncIterator[bytes]
) -> Received:
    """Starts an upload and receives its bytes from the first on; raises what starting and receiving raise."""
    prepared = await prepare(intake, subject=subject, request_id=request_id, announcement=announcement)
    if prepared.key is None:
        return await receive(intake, subject=subject, upload_id=prepared.row.id, offset=0, chunks=chunks)
    hold = Hold(intake, prepared.row, is_locked=False, is_stored=False)
    key_id, key = UUID(prepared.key.id), prepared.key.key
    reception = Reception(intake, hold, prepared.row, announcement, key_id, key)
    return await _holding(intake, hold, _ready(reception), chunks)


async def _holding(
    intake: Intake, hold: Hold, beginning: Coroutine[object, object, Reception], chunks: AsyncIterator[bytes]
) -> Received:
    """Receives while the upload is held; what a broken stream leaves is seen to afterwards."""
    stream = _Stream(intake, hold)
    try:
        received = await stream.run(await beginning, chunks)
    except asyncio.CancelledError:
        intake.aftermath.start(stream.save_and_release())
        raise
    except BaseException:
        await asyncio.shield(intake.aftermath.start(stream.save_and_release()))
        raise
    if received.media is None:
        await hold.release()
    else:
        intake.aftermath.start(hold.release())
    return received


async def _find(intake: Intake, subject: str, upload_id: UUID) -> UploadRow:
    row = await intake.uploads.find(subject, upload_id)
    if row is None or row.expire_time <= intake.clock.now():
        raise upload_not_found(upload_id)
    return row


async def _ready(reception: Reception) -> Reception:
    return reception


async def _resume(intake: Intake, hold: Hold, subject: str, upload_id: UUID, offset: int) -> Reception:
    row = await _find(intake, subject, upload_id)
    if row.complete_time is not None or offset != row.committed_bytes:
        raise UploadOffsetWrong(
            f"the committed bytes end at {row.committed_bytes}, not at {offset}: go on from there",
            metadata={"upload": upload_name(upload_id), "committed_size_bytes": str(row.committed_bytes)},
        )
    data_key_id, key = await open_upload_key(intake, row)
    sealed = open_bytes(key, row.sealed_announcement, announcement_aad(data_key_id))
    reception = Reception(intake, hold, row, Announcement.from_bytes(sealed), data_key_id, key)
    await reception.replay()
    return reception


class _Steps:
    """Runs steps that must not be left half done: a caller that is cancelled leaves, the step goes on."""

    def __init__(self) -> None:
        self._running: asyncio.Task[object] | None = None

    async def run(self, step: Coroutine[object, object, ResultT]) -> ResultT:
        """Runs one step."""
        task = asyncio.create_task(step)
        self._running = task
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Waits for the step that a cancelled caller left."""
        if self._running is not None:
            await asyncio.wait({self._running})
            self._running.exception()


class _Stream:
    """One stream of bytes into an upload that it holds."""

    def __init__(self, intake: Intake, hold: Hold) -> None:
        self._intake = intake
        self._hold = hold
        self._steps = _Steps()
        self._worth_saving: Reception | None = None

    async def run(self, reception: Reception, chunks: AsyncIterator[bytes]) -> Received:
        """Receives what comes."""
        self._worth_saving = reception
        try:
            await self._take_all(reception, chunks)
            return await self._steps.run(self._end(reception))
        except ContentRefused as error:
            self._worth_saving = None
            await self._steps.run(self._hold.give_up())
            raise error.about(reception.announcement.asset.file_name) from None

    async def save_and_release(self) -> None:
        """Commits what a broken stream brought, and lets the upload go."""
        try:
            await self._steps.settle()
            if self._worth_saving is not None:
                await self._worth_saving.commit_whole_chunks()
        finally:
            await self._hold.release()

    async def _take_all(self, reception: Reception, chunks: AsyncIterator[bytes]) -> None:
        """Takes chunks until they end, or until none has come for too long."""
        while (chunk := await _next(chunks, self._intake.policy.idle_seconds)) is not None:
            if len(chunk) > CHUNK_LIMIT:
                raise FieldInvalid.of("chunk", f"send at most {CHUNK_LIMIT} bytes in a message")
            await self._check_consent(reception.row)
            await self._steps.run(reception.take(chunk))

    async def _check_consent(self, row: UploadRow) -> None:
        try:
            await open_upload_key(self._intake, row)
        except BaseException:
            self._worth_saving = None
            raise

    async def _end(self, reception: Reception) -> Received:
        await self._check_consent(reception.row)
        if not reception.is_whole:
            await reception.commit_whole_chunks()
            await self._hold.store()
            self._worth_saving = None
            return Received(reception.row.shown())
        self._worth_saving = None
        media = await complete(self._intake, reception)
        row = reception.row
        done = replace(row, committed_bytes=row.size_bytes, media_id=media.id, complete_time=self._intake.clock.now())
        return Received(done.shown(), media)


async def _next(chunks: AsyncIterator[bytes], seconds: float) -> bytes | None:
    try:
        async with asyncio.timeout(seconds):
            return await anext(chunks, None)
    except TimeoutError:
        return None
