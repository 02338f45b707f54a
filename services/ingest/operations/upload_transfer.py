"""Transfer of a stream's bytes into an upload that it has the lease of."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from services.chassis.calls import own_deadline
from services.chassis.errors import FieldInvalid
from services.chassis.limits import CHUNK_BYTES
from services.ingest.domain.media import Media, Upload
from services.ingest.domain.records import UploadRow
from services.ingest.errors import ContentRefused, UploadTakenOver
from services.ingest.operations.complete_upload import complete
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.open_keys import open_upload_key
from services.ingest.operations.upload_lease import UploadLease
from services.ingest.operations.upload_stream import UploadStream

ResultT = TypeVar("ResultT")

_STEP_SECONDS = 30.0
_MINUTE = 60.0


@dataclass(frozen=True)
class Received:
    """How a stream ended; `media` if the upload is complete."""

    upload: Upload
    media: Media | None = None


class UploadTransfer:
    """Takes what comes, and says what of it may still be saved when the stream breaks."""

    def __init__(self, dependencies: Dependencies, lease: UploadLease) -> None:
        self._dependencies = dependencies
        self._lease = lease
        self._steps = _Steps()
        self._unsaved: UploadStream | None = None

    async def run(self, stream: UploadStream, chunks: AsyncIterator[bytes]) -> Received:
        """Receive what comes.

        Raises:
            UploadTakenOver: a newer stream writes the upload.
            ContentRefused: the bytes are not what may be kept; the upload is given up.
            PurposeNotGranted: the purpose was withdrawn.
        """
        self._unsaved = stream
        try:
            await self._take_all(stream, chunks)
            return await self._steps.run(self._end(stream))
        except ContentRefused as error:
            self._unsaved = None
            await self._dependencies.background.run(self._lease.give_up())
            raise error.about(stream.announcement.asset.file_name) from None
        except UploadTakenOver:
            self._unsaved = None
            raise

    async def save_and_release(self) -> None:
        """Commit what a broken stream brought, and end the lease."""
        try:
            await self._steps.wait()
            if self._unsaved is not None:
                await self._unsaved.commit()
        finally:
            await self._lease.release()

    async def _take_all(self, stream: UploadStream, chunks: AsyncIterator[bytes]) -> None:
        """Take chunks until they end, until none has come for too long, or until they come too slowly."""
        taken_over = asyncio.ensure_future(self._lease.taken_over.wait())
        progress = Progress(self._dependencies.policy.floor_bytes, asyncio.get_running_loop().time)
        try:
            while (chunk := await self._next(stream, chunks, taken_over, progress.due)) is not None:
                if len(chunk) > CHUNK_BYTES:
                    raise FieldInvalid.of("chunk", f"send at most {CHUNK_BYTES} bytes in a message")
                await self._check_consent(stream.row)
                with progress.of(len(chunk)):
                    if not stream.take_at_once(chunk):
                        await self._steps.run(stream.take(chunk))
        finally:
            taken_over.cancel()

    async def _next(
        self, stream: UploadStream, chunks: AsyncIterator[bytes], taken_over: "asyncio.Future[Any]", due: float
    ) -> bytes | None:
        """Return the next chunk, None if there is none in time; commit meanwhile what has waited long enough."""
        loop = asyncio.get_running_loop()
        idle_at = min(due, loop.time() + self._dependencies.policy.idle_seconds)
        coming: asyncio.Future[Any] = asyncio.ensure_future(anext(chunks, None))
        try:
            while not coming.done() and loop.time() < idle_at:
                left = min(idle_at, stream.commit_due) - loop.time()
                await asyncio.wait({coming, taken_over}, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
                if taken_over.done():
                    raise UploadTakenOver.of(stream.row.id)
                if loop.time() >= stream.commit_due:
                    await self._steps.run(stream.commit())
            return coming.result() if coming.done() else None
        finally:
            await _drop(coming)

    async def _check_consent(self, row: UploadRow) -> None:
        try:
            await open_upload_key(self._dependencies, row)
        except BaseException:
            self._unsaved = None
            raise

    async def _end(self, stream: UploadStream) -> Received:
        await self._check_consent(stream.row)
        client_id = stream.announcement.asset.client_id
        if not stream.is_whole:
            await stream.commit()
            await self._lease.store(0)
            self._unsaved = None
            return Received(stream.row.to_upload(client_id))
        self._unsaved = None
        async with self._dependencies.steps.turn():
            media = await complete(self._dependencies, stream)
        row = stream.row
        done = replace(
            row, committed_bytes=row.size_bytes, media_id=media.id, complete_time=self._dependencies.clock.now()
        )
        return Received(done.to_upload(client_id), media)


async def _drop(future: "asyncio.Future[bytes | None]") -> None:
    """Cancel what is waited for no more, and let nothing it raised come up later."""
    if not future.done():
        future.cancel()
        await asyncio.wait({future})
    if not future.cancelled():
        future.exception()


class Progress:
    """Progress of a stream, which brings at least so many bytes a minute; what the service takes itself is left out."""

    def __init__(self, floor_bytes: int, time: Callable[[], float]) -> None:
        self._floor_bytes = floor_bytes
        self._time = time
        self._bytes = 0
        self._since = time()

    @property
    def due(self) -> float:
        """When it is too slow, unless more comes."""
        return self._since + _MINUTE

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Note bytes that came, and leave the time out that the service takes for them."""
        started = self._time()
        try:
            yield
        finally:
            self._bytes += size
            self._since += self._time() - started
            if self._bytes >= self._floor_bytes:
                self._bytes, self._since = 0, self._time()


class _Steps:
    """Runs steps that must not be left half done: a caller that is cancelled leaves, the step goes on."""

    def __init__(self) -> None:
        self._running: asyncio.Task[object] | None = None

    async def run(self, step: Coroutine[object, object, ResultT]) -> ResultT:
        """Run one step."""
        with own_deadline(_STEP_SECONDS):
            task = asyncio.create_task(step)
        self._running = task
        return await asyncio.shield(task)

    async def wait(self) -> None:
        """Wait for the step that a cancelled caller left."""
        if self._running is not None:
            await asyncio.wait({self._running})
            self._running.exception()
