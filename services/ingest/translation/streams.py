"""Streams of requests, parsed as they come."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from pellicule.ingest.v1 import media_service_pb2
from services.chassis.errors import FieldInvalid


async def upload_header(
    requests: AsyncIterator[media_service_pb2.UploadMediaRequest],
) -> media_service_pb2.UploadHeader:
    """Return the header that a stream of bytes begins with.

    Raises:
        FieldInvalid: it begins with something else, or the header says nothing of where the bytes go.
    """
    first = await anext(requests, None)
    if first is None or first.WhichOneof("content") != "header":
        raise FieldInvalid.of("header", "begin the stream with a message that names the upload and the offset")
    if first.header.WhichOneof("target") is None:
        raise FieldInvalid.of("header.target", "name an upload, or start one")
    return first.header


async def upload_chunks(requests: AsyncIterator[media_service_pb2.UploadMediaRequest]) -> AsyncIterator[bytes]:
    """Yield the chunks that follow the header.

    Raises:
        FieldInvalid: something else follows.
    """
    async for request in requests:
        if request.WhichOneof("content") != "chunk":
            raise FieldInvalid.of("content", "after the header send chunks alone")
        yield request.chunk


class BatchFiles:
    """A stream of small files: each begins with `start`, and its chunks follow."""

    def __init__(self, messages: AsyncIterator[media_service_pb2.BatchUploadMediaRequest], idle_seconds: float) -> None:
        self._messages = messages
        self._idle_seconds = idle_seconds
        self._start: media_service_pb2.StartUploadRequest | None = None
        self._left = 0
        self._is_passed_over = False

    async def next_start(self) -> media_service_pb2.StartUploadRequest | None:
        """Return what begins the next file, passing over what is left of the last; None if there is none in time.

        Raises:
            FieldInvalid: bytes come that belong to no file.
        """
        while self._start is None:
            message = await self._next_message()
            if message is None:
                return None
            self._note(message)
        start, self._start = self._start, None
        self._left, self._is_passed_over = start.size_bytes, False
        return start

    def pass_over(self) -> None:
        """Take no chunk of this file any more: it is refused, and what it announced may be wrong."""
        self._is_passed_over = True

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the chunks of the file that began, until it is whole or the next one begins."""
        while self._left > 0 and (message := await anext(self._messages, None)) is not None:
            self._note(message)
            if self._start is not None:
                return
            yield message.chunk

    async def _next_message(self) -> media_service_pb2.BatchUploadMediaRequest | None:
        try:
            async with asyncio.timeout(self._idle_seconds):
                return await anext(self._messages, None)
        except TimeoutError:
            return None

    def _note(self, message: media_service_pb2.BatchUploadMediaRequest) -> None:
        match message.WhichOneof("content"):
            case "start":
                self._start = message.start
            case "chunk" if self._left > 0 or self._is_passed_over or not message.chunk:
                self._left -= len(message.chunk)
            case _:
                raise FieldInvalid.of("start", "begin each file with it, and send as many bytes as it announces")
