"""Streams as messages: the bytes of previews, and changes."""

from collections.abc import Iterator

from google.rpc import status_pb2

from pellicule.analysis.v1 import analysis_service_pb2
from pellicule.type.v1 import byte_stream_pb2, change_feed_pb2
from services.analysis.domain.media import MEDIA_PREFIX
from services.analysis.operations.read_preview import Preview
from services.analysis.operations.watch_analyses import ChangeKind, Checkpoint, Item, Reset
from services.analysis.translation.analyses import analysis
from services.chassis.error_details import status_details
from services.chassis.limits import CHUNK_BYTES
from services.chassis.streams import checked_offset

_JPEG = "image/jpeg"


def preview_stream(content: bytes, offset: int) -> Iterator[analysis_service_pb2.ReadPreviewResponse]:
    """Yield a header, and the bytes from an offset on.

    Raises:
        FieldInvalid: the offset lies outside.
    """
    yield analysis_service_pb2.ReadPreviewResponse(header=_header(content, checked_offset(offset, len(content))))
    for start in range(offset, len(content), CHUNK_BYTES):
        yield analysis_service_pb2.ReadPreviewResponse(chunk=content[start : start + CHUNK_BYTES])


def batch_stream(preview: Preview, domain: str) -> Iterator[analysis_service_pb2.BatchReadPreviewsResponse]:
    """Yield what a batch answers for one media: a header and its bytes, or why there are none.

    Args:
        preview: Of the media.
        domain: Of errors.
    """
    name = f"{MEDIA_PREFIX}{preview.media}"
    if preview.error is not None:
        error = status_pb2.Status.FromString(status_details(preview.error, domain))
        yield analysis_service_pb2.BatchReadPreviewsResponse(media=name, error=error)
        return
    yield analysis_service_pb2.BatchReadPreviewsResponse(media=name, header=_header(preview.content, 0))
    for start in range(0, len(preview.content), CHUNK_BYTES):
        chunk = preview.content[start : start + CHUNK_BYTES]
        yield analysis_service_pb2.BatchReadPreviewsResponse(media=name, chunk=chunk)


def change(item: Item, language: str) -> analysis_service_pb2.WatchAnalysesResponse:
    """Return an item of the change feed, with the labels of tags in a language."""
    if isinstance(item, Reset):
        return analysis_service_pb2.WatchAnalysesResponse(reset=change_feed_pb2.ChangeFeedReset())
    message = analysis_service_pb2.WatchAnalysesResponse(cursor=item.cursor)
    if isinstance(item, Checkpoint):
        message.checkpoint.snapshot = item.snapshot
    elif item.analysis is None:
        message.deleted = item.name
    elif item.kind is ChangeKind.CREATED:
        message.created.CopyFrom(analysis(item.analysis, language))
    else:
        message.changed.CopyFrom(analysis(item.analysis, language))
    return message


def _header(content: bytes, offset: int) -> byte_stream_pb2.ByteStreamHeader:
    return byte_stream_pb2.ByteStreamHeader(content_type=_JPEG, size_bytes=len(content), offset=offset)
