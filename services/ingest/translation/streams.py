"""Streams of requests, parsed as they come."""

from collections.abc import AsyncIterator

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
