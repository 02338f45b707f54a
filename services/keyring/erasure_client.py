"""Erasing a media on a person's word. For the service that owns the media."""

from datetime import UTC, datetime
from uuid import UUID

import grpc

from pellicule.retention.v1 import retention_service_pb2, retention_service_pb2_grpc
from services.chassis.channels import acting_for
from services.keyring import translation
from services.keyring.erasures import Erasure


class RetentionErasures:
    """Implements `Erasures` over an mTLS channel to the retention service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = retention_service_pb2_grpc.RetentionServiceStub(channel)

    async def erase_media(self, *, subject: str, media: str, request_id: UUID) -> Erasure:
        """Destroys every key with this media in its lineage (`Erasures.erase_media`)."""
        request = retention_service_pb2.RequestErasureRequest(request_id=str(request_id), media=media)
        try:
            response = await self._stub.RequestErasure(request, metadata=acting_for(subject))
        except grpc.aio.AioRpcError as error:
            raise translation.keyring_error(error) from error
        return translation.erasure(response.erasure)

    async def shorten_deadline(self, *, subject: str, media: str, delete_by: datetime, request_id: UUID) -> datetime:
        """Brings the end of a media forward (`Erasures.shorten_deadline`)."""
        request = retention_service_pb2.ShortenDeadlineRequest(
            request_id=str(request_id), media=media, delete_time=translation.timestamp(delete_by)
        )
        try:
            response = await self._stub.ShortenDeadline(request, metadata=acting_for(subject))
        except grpc.aio.AioRpcError as error:
            raise translation.keyring_error(error) from error
        return response.delete_time.ToDatetime(tzinfo=UTC)
