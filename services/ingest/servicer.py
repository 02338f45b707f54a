"""Servicer of `MediaService`: parse, do, render."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from pellicule.ingest.v1 import media_service_pb2, media_service_pb2_grpc
from services.chassis.errors import FieldInvalid
from services.chassis.principal import current_subject
from services.ingest import translation
from services.ingest.operations.delete_media import delete_media
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_media import get_media, list_media
from services.ingest.operations.get_upload import get_upload
from services.ingest.operations.plan_uploads import plan_uploads
from services.ingest.operations.read_media import read_media
from services.ingest.operations.receive_upload import Received, receive, start_and_receive
from services.ingest.operations.start_upload import start_upload

if TYPE_CHECKING:
    # Invariant in what it reads and writes, and never used here: one alias for all RPCs.
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True)
class MediaServicer(media_service_pb2_grpc.MediaServiceServicer):
    """Serves `MediaService`."""

    dependencies: Dependencies

    async def PlanUploads(
        self, request: media_service_pb2.PlanUploadsRequest, context: Context
    ) -> media_service_pb2.PlanUploadsResponse:
        """Say for each asset whether it is wanted."""
        items = await plan_uploads(
            self.dependencies,
            subject=current_subject(),
            assets=translation.assets_to_plan(request),
            can_make_previews=request.can_make_previews,
        )
        return media_service_pb2.PlanUploadsResponse(
            items=map(translation.plan_item, items), preview_long_side=self.dependencies.policy.preview_long_side
        )

    async def StartUpload(
        self, request: media_service_pb2.StartUploadRequest, context: Context
    ) -> media_service_pb2.StartUploadResponse:
        """Open an upload."""
        upload = await start_upload(
            self.dependencies,
            subject=current_subject(),
            request_id=translation.uuid_of(request.request_id, "request_id"),
            announcement=translation.announcement(request),
        )
        return media_service_pb2.StartUploadResponse(upload=translation.upload(upload))

    async def UploadMedia(
        self, request_iterator: AsyncIterator[media_service_pb2.UploadMediaRequest], context: Context
    ) -> media_service_pb2.UploadMediaResponse:
        """Receive bytes."""
        header = await _header(request_iterator)
        received = await self._receive(header, _chunks(request_iterator))
        return media_service_pb2.UploadMediaResponse(
            upload=translation.upload(received.upload),
            media=None if received.media is None else translation.media(received.media),
        )

    async def GetUpload(
        self, request: media_service_pb2.GetUploadRequest, context: Context
    ) -> media_service_pb2.GetUploadResponse:
        """Return an upload."""
        upload = await get_upload(
            self.dependencies,
            subject=current_subject(),
            upload_id=translation.uuid_of(request.name, "name", "uploads/"),
        )
        return media_service_pb2.GetUploadResponse(upload=translation.upload(upload))

    async def ListMedia(
        self, request: media_service_pb2.ListMediaRequest, context: Context
    ) -> media_service_pb2.ListMediaResponse:
        """List what is kept."""
        page_size, after = translation.page(request)
        media, following = await list_media(
            self.dependencies, subject=current_subject(), page_size=page_size, after=after
        )
        return media_service_pb2.ListMediaResponse(
            media=map(translation.media, media),
            next_page_token="" if following is None else following.encode(),
        )

    async def GetMedia(
        self, request: media_service_pb2.GetMediaRequest, context: Context
    ) -> media_service_pb2.GetMediaResponse:
        """Return one media."""
        media_id = translation.uuid_of(request.name, "name", "media/")
        media = await get_media(self.dependencies, subject=current_subject(), media_id=media_id)
        return media_service_pb2.GetMediaResponse(media=translation.media(media))

    async def ReadMedia(
        self, request: media_service_pb2.ReadMediaRequest, context: Context
    ) -> AsyncIterator[media_service_pb2.ReadMediaResponse]:
        """Send a media's bytes."""
        media_id = translation.uuid_of(request.name, "name", "media/")
        async for piece in read_media(self.dependencies, subject=current_subject(), media_id=media_id):
            yield media_service_pb2.ReadMediaResponse(chunk=piece)

    async def DeleteMedia(
        self, request: media_service_pb2.DeleteMediaRequest, context: Context
    ) -> media_service_pb2.DeleteMediaResponse:
        """Delete a media."""
        erasure = await delete_media(
            self.dependencies,
            subject=current_subject(),
            media_id=translation.uuid_of(request.name, "name", "media/"),
            request_id=translation.uuid_of(request.request_id, "request_id"),
        )
        return media_service_pb2.DeleteMediaResponse(erasure=erasure)

    async def _receive(self, header: media_service_pb2.UploadHeader, chunks: AsyncIterator[bytes]) -> Received:
        if header.HasField("start"):
            request_id, announcement = translation.start_in_header(header)
            return await start_and_receive(
                self.dependencies,
                subject=current_subject(),
                request_id=request_id,
                announcement=announcement,
                chunks=chunks,
            )
        return await receive(
            self.dependencies,
            subject=current_subject(),
            upload_id=translation.uuid_of(header.upload, "header.upload", "uploads/"),
            offset=header.offset,
            chunks=chunks,
        )


async def _header(requests: AsyncIterator[media_service_pb2.UploadMediaRequest]) -> media_service_pb2.UploadHeader:
    first = await anext(requests, None)
    if first is None or first.WhichOneof("content") != "header":
        raise FieldInvalid.of("header", "begin the stream with a message that names the upload and the offset")
    return first.header


async def _chunks(requests: AsyncIterator[media_service_pb2.UploadMediaRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("content") != "chunk":
            raise FieldInvalid.of("content", "after the header send chunks alone")
        yield request.chunk
