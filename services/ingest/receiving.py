"""The receiving of bytes: one writer, whole sealed chunks, nothing lost but the chunk that had not filled.

When a stream breaks, what it brought is put into the store and the offset committed in the aftermath of the call. A
resumed stream goes on with the same key and the same nonces, which is safe because only the bytes whose SHA-256 was
announced before the first of them become a media.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from services.chassis.errors import FieldInvalid
from services.chassis.seal import open_bytes
from services.ingest.completing import complete
from services.ingest.domain import CHUNK_LIMIT, Announcement, Media, Upload, announcement_aad, upload_name
from services.ingest.errors import ContentRefused, UploadInProgress, UploadOffsetWrong
from services.ingest.intake import Intake
from services.ingest.operations import get_media, open_upload_key, upload_not_found
from services.ingest.reception import Reception
from services.ingest.records import UploadRow

ResultT = TypeVar("ResultT")

_RETRY_AFTER = timedelta(seconds=1)


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
    if not await intake.locks.acquire(upload_id):
        name = upload_name(upload_id)
        raise UploadInProgress(
            f"another stream is writing {name}: wait until it ends", metadata={"upload": name}, retry_after=_RETRY_AFTER
        )
    stream = _Stream(intake, subject, upload_id)
    try:
        received = await stream.run(offset, chunks)
    except BaseException:
        intake.aftermath.start(stream.save_and_release())
        raise
    await stream.release(received)
    return received


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
    """One stream that holds the upload's lock."""

    def __init__(self, intake: Intake, subject: str, upload_id: UUID) -> None:
        self._intake = intake
        self._subject = subject
        self._upload_id = upload_id
        self._steps = _Steps()
        self._reception: Reception | None = None
        """While bytes that it holds are worth saving."""

    async def run(self, offset: int, chunks: AsyncIterator[bytes]) -> Received:
        """Receives what comes."""
        row = await self._find()
        if row.complete_time is not None:
            media = await get_media(self._intake, subject=self._subject, media_id=row.media_id)
            return Received(row.shown(), media)
        _check_offset(row, offset)
        reception = await self._begin(row)
        try:
            await self._take_all(reception, chunks)
            return await self._steps.run(self._end(reception))
        except ContentRefused as error:
            self._reception = None
            await self._steps.run(self._intake.uploads.discard(self._subject, row.id, self._intake.clock.now()))
            raise error.about(reception.announcement.asset.file_name) from None

    async def save_and_release(self) -> None:
        """Commits what a broken stream brought, and gives the lock back."""
        try:
            await self._steps.settle()
            if self._reception is not None:
                await self._reception.commit_whole_chunks()
        finally:
            await self._intake.locks.release(self._upload_id)

    async def release(self, received: Received) -> None:
        """Gives the lock back; nobody waits for that of a complete upload."""
        giving_back = self._intake.locks.release(self._upload_id)
        if received.media is None:
            await giving_back
        else:
            self._intake.aftermath.start(giving_back)

    async def _find(self) -> UploadRow:
        row = await self._intake.uploads.find(self._subject, self._upload_id)
        if row is None or row.expire_time <= self._intake.clock.now():
            raise upload_not_found(self._upload_id)
        return row

    async def _begin(self, row: UploadRow) -> Reception:
        data_key_id, key = await open_upload_key(self._intake, row)
        sealed = open_bytes(key, row.sealed_announcement, announcement_aad(data_key_id))
        reception = Reception(self._intake, row, Announcement.from_bytes(sealed), data_key_id, key)
        await reception.replay()
        self._reception = reception
        return reception

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
            self._reception = None
            raise

    async def _end(self, reception: Reception) -> Received:
        await self._check_consent(reception.row)
        if not reception.is_whole:
            row = await reception.commit_whole_chunks()
            self._reception = None
            return Received(row.shown())
        self._reception = None
        media = await complete(self._intake, reception)
        row = replace(
            reception.row,
            committed_bytes=reception.row.size_bytes,
            media_id=media.id,
            complete_time=self._intake.clock.now(),
        )
        return Received(row.shown(), media)


def _check_offset(row: UploadRow, offset: int) -> None:
    if offset != row.committed_bytes:
        raise UploadOffsetWrong(
            f"the committed bytes end at {row.committed_bytes}, not at {offset}: go on from there",
            metadata={"committed_size_bytes": str(row.committed_bytes)},
        )


async def _next(chunks: AsyncIterator[bytes], seconds: float) -> bytes | None:
    try:
        async with asyncio.timeout(seconds):
            return await anext(chunks, None)
    except TimeoutError:
        return None
