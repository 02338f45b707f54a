"""Servicer of `MediaService`: parse, do, render."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pellicule.ingest.v1 import media_service_pb2, media_service_pb2_grpc
from pellicule.type.v1 import byte_stream_pb2
from services.chassis.errors import DependencyUnavailable, DomainError
from services.chassis.fields import Fields
from services.chassis.paging import PageQuery
from services.chassis.principal import current_subject
from services.ingest.domain.media import Media
from services.ingest.operations.cancel_upload import cancel_upload
from services.ingest.operations.delete_media import delete_media, delete_media_batch
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_media import get_media
from services.ingest.operations.find_uploads import get_upload, list_uploads
from services.ingest.operations.list_media import list_media
from services.ingest.operations.plan_uploads import plan_uploads
from services.ingest.operations.read_media import read_media
from services.ingest.operations.receive_upload import receive, receive_whole, start_and_receive
from services.ingest.operations.start_upload import start_upload
from services.ingest.operations.update_media import update_media
from services.ingest.operations.upload_transfer import Received
from services.ingest.operations.watch_media import acknowledge_changes, watch_media
from services.ingest.translation import changes, requests, resources, server_info, streams

if TYPE_CHECKING:
    from services.chassis.calls import Context


@dataclass(frozen=True)
class MediaServicer(media_service_pb2_grpc.MediaServiceServicer):
    """Serves `MediaService`."""

    dependencies: Dependencies

    async def PlanUploads(
        self, request: media_service_pb2.PlanUploadsRequest, context: Context
    ) -> media_service_pb2.PlanUploadsResponse:
        """Say for each asset whether it is wanted."""
        assets, invalid = requests.assets_to_plan(request)
        items = await plan_uploads(
            self.dependencies, subject=current_subject(), assets=assets, can_reduce=request.can_reduce
        )
        return media_service_pb2.PlanUploadsResponse(
            items=[*map(resources.plan_item, items), *invalid],
            reduced_long_side=self.dependencies.policy.reduced_long_side,
        )

    async def StartUpload(
        self, request: media_service_pb2.StartUploadRequest, context: Context
    ) -> media_service_pb2.StartUploadResponse:
        """Open an upload."""
        with Fields() as fields:
            request_id, announcement = requests.start(request, fields)
        upload = await start_upload(
            self.dependencies, subject=current_subject(), request_id=request_id, announcement=announcement
        )
        return media_service_pb2.StartUploadResponse(upload=resources.upload(upload))

    async def UploadMedia(
        self, request_iterator: AsyncIterator[media_service_pb2.UploadMediaRequest], context: Context
    ) -> media_service_pb2.UploadMediaResponse:
        """Receive bytes."""
        header = await streams.upload_header(request_iterator)
        received = await self._receive(header, streams.upload_chunks(request_iterator))
        return media_service_pb2.UploadMediaResponse(
            upload=resources.upload(received.upload),
            media=None if received.media is None else resources.media(received.media),
        )

    async def BatchUploadMedia(
        self, request_iterator: AsyncIterator[media_service_pb2.BatchUploadMediaRequest], context: Context
    ) -> AsyncIterator[media_service_pb2.BatchUploadMediaResponse]:
        """Receive small files."""
        files = streams.BatchFiles(request_iterator, self.dependencies.policy.idle_seconds)
        while (start := await files.next_start()) is not None:
            async with aclosing(files.chunks()) as chunks:
                outcome = await self._receive_whole(start, chunks)
            if isinstance(outcome, DomainError):
                files.pass_over()
            yield resources.batch_answer(start, outcome)

    async def GetUpload(
        self, request: media_service_pb2.GetUploadRequest, context: Context
    ) -> media_service_pb2.GetUploadResponse:
        """Return an upload."""
        with Fields() as fields:
            upload_id = fields.resource(request.name, "name", requests.UPLOADS)
        upload = await get_upload(self.dependencies, subject=current_subject(), upload_id=upload_id)
        return media_service_pb2.GetUploadResponse(upload=resources.upload(upload))

    async def ListUploads(
        self, request: media_service_pb2.ListUploadsRequest, context: Context
    ) -> media_service_pb2.ListUploadsResponse:
        """List the open uploads."""
        page, after = requests.page(request, PageQuery("ListUploads", current_subject()))
        uploads, following = await list_uploads(
            self.dependencies, subject=current_subject(), page_size=page.size, after=after
        )
        return media_service_pb2.ListUploadsResponse(
            uploads=map(resources.upload, uploads), next_page_token=requests.next_token(page, following)
        )

    async def CancelUpload(
        self, request: media_service_pb2.CancelUploadRequest, context: Context
    ) -> media_service_pb2.CancelUploadResponse:
        """Give an open upload up."""
        with Fields() as fields:
            upload_id = fields.resource(request.name, "name", requests.UPLOADS)
        await cancel_upload(self.dependencies, subject=current_subject(), upload_id=upload_id)
        return media_service_pb2.CancelUploadResponse()

    async def ListMedia(
        self, request: media_service_pb2.ListMediaRequest, context: Context
    ) -> media_service_pb2.ListMediaResponse:
        """List what is kept."""
        page, after, query = requests.media_list(request, current_subject())
        media, following = await list_media(
            self.dependencies, subject=current_subject(), page_size=page.size, after=after, query=query
        )
        return media_service_pb2.ListMediaResponse(
            media=map(resources.media, media), next_page_token=requests.next_token(page, following)
        )

    async def GetMedia(
        self, request: media_service_pb2.GetMediaRequest, context: Context
    ) -> media_service_pb2.GetMediaResponse:
        """Return one media."""
        with Fields() as fields:
            media_id = fields.resource(request.name, "name", requests.MEDIA)
        media = await get_media(self.dependencies, subject=current_subject(), media_id=media_id)
        return media_service_pb2.GetMediaResponse(media=resources.media(media))

    async def UpdateMedia(
        self, request: media_service_pb2.UpdateMediaRequest, context: Context
    ) -> media_service_pb2.UpdateMediaResponse:
        """Change what the owner may change."""
        media_id, marks, request_id = requests.media_to_update(request)
        media = await update_media(
            self.dependencies, subject=current_subject(), media_id=media_id, marks=marks, request_id=request_id
        )
        return media_service_pb2.UpdateMediaResponse(media=resources.media(media))

    async def ReadMedia(
        self, request: media_service_pb2.ReadMediaRequest, context: Context
    ) -> AsyncIterator[media_service_pb2.ReadMediaResponse]:
        """Send a media's bytes from an offset on."""
        with Fields() as fields:
            media_id = fields.resource(request.name, "name", requests.MEDIA)
            offset = fields.number(request.offset, "offset")
        found = await read_media(self.dependencies, subject=current_subject(), media_id=media_id, offset=offset)
        yield media_service_pb2.ReadMediaResponse(
            header=byte_stream_pb2.ByteStreamHeader(
                content_type=found.content_type, size_bytes=found.size_bytes, offset=offset
            )
        )
        async for piece in found.chunks:
            yield media_service_pb2.ReadMediaResponse(chunk=piece)

    async def DeleteMedia(
        self, request: media_service_pb2.DeleteMediaRequest, context: Context
    ) -> media_service_pb2.DeleteMediaResponse:
        """Delete a media."""
        with Fields() as fields:
            media_id = fields.resource(request.name, "name", requests.MEDIA)
            request_id = fields.uuid(request.request_id, "request_id")
        erasure = await delete_media(
            self.dependencies, subject=current_subject(), media_id=media_id, request_id=request_id
        )
        return media_service_pb2.DeleteMediaResponse(erasure=resources.erasure(erasure))

    async def BatchDeleteMedia(
        self, request: media_service_pb2.BatchDeleteMediaRequest, context: Context
    ) -> media_service_pb2.BatchDeleteMediaResponse:
        """Delete many media."""
        media_ids, request_id = requests.media_to_delete(request)
        outcomes = await delete_media_batch(
            self.dependencies, subject=current_subject(), media_ids=media_ids, request_id=request_id
        )
        return media_service_pb2.BatchDeleteMediaResponse(deletions=map(resources.deletion, media_ids, outcomes))

    async def _receive_whole(
        self, message: media_service_pb2.StartUploadRequest, chunks: AsyncIterator[bytes]
    ) -> Media | DomainError:
        try:
            with Fields() as fields:
                request_id, announcement = requests.small_file(message, fields.within("start"))
            return await receive_whole(
                self.dependencies,
                subject=current_subject(),
                request_id=request_id,
                announcement=announcement,
                chunks=chunks,
            )
        except DependencyUnavailable:
            raise
        except DomainError as error:
            return error

    async def WatchMedia(
        self, request: media_service_pb2.WatchMediaRequest, context: Context
    ) -> AsyncIterator[media_service_pb2.WatchMediaResponse]:
        """Tell the change feed of media."""
        query = changes.watch_query(request, current_subject())
        feed = watch_media(
            self.dependencies,
            subject=current_subject(),
            cursor=query.cursor,
            device_id=query.device_id,
            until_checkpoint=query.until_checkpoint,
        )
        async with aclosing(feed) as items:
            async for item in items:
                yield changes.told(item)

    async def AcknowledgeMediaChanges(
        self, request: media_service_pb2.AcknowledgeMediaChangesRequest, context: Context
    ) -> media_service_pb2.AcknowledgeMediaChangesResponse:
        """Note how far a device has taken in the feed."""
        device_id, cursor = changes.acknowledgement(request, current_subject())
        await acknowledge_changes(self.dependencies, subject=current_subject(), device_id=device_id, cursor=cursor)
        return media_service_pb2.AcknowledgeMediaChangesResponse()

    async def GetUsage(
        self, request: media_service_pb2.GetUsageRequest, context: Context
    ) -> media_service_pb2.GetUsageResponse:
        """Return how much of the store the person uses."""
        usage = await self.dependencies.media.usage(current_subject(), self.dependencies.clock.now())
        return resources.usage(usage, self.dependencies.policy.quota)

    async def GetServerInfo(
        self, request: media_service_pb2.GetServerInfoRequest, context: Context
    ) -> media_service_pb2.GetServerInfoResponse:
        """Return what this installation takes and offers."""
        return server_info.server_info(self.dependencies.policy, self.dependencies.clock.now())

    async def _receive(self, header: media_service_pb2.UploadHeader, chunks: AsyncIterator[bytes]) -> Received:
        with Fields() as fields:
            header_fields = fields.within("header")
            offset = header_fields.number(header.offset, "offset")
            if header.HasField("start"):
                request_id, announcement = requests.start(header.start, header_fields.within("start"))
            else:
                upload_id = header_fields.resource(header.upload, "upload", requests.UPLOADS)
        if header.HasField("start"):
            return await start_and_receive(
                self.dependencies,
                subject=current_subject(),
                request_id=request_id,
                announcement=announcement,
                offset=offset,
                chunks=chunks,
            )
        return await receive(
            self.dependencies, subject=current_subject(), upload_id=upload_id, offset=offset, chunks=chunks
        )
