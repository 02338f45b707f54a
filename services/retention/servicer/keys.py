"""Servicer of KeyService, for services alone."""

from collections.abc import AsyncIterator

from pellicule.internal.retention.v1 import key_service_pb2, key_service_pb2_grpc
from services.chassis.calls import Context
from services.retention.domain.readers import Reader
from services.retention.domain.revocation import HolderWord
from services.retention.operations.create_data_keys import create_data_keys
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destroy_data_keys import destroy_data_keys
from services.retention.operations.destroy_purposes import destroy_purpose_keys
from services.retention.operations.grant_purpose import grant_purpose_key
from services.retention.operations.open_data_keys import open_data_keys
from services.retention.operations.open_purpose import get_purpose_key
from services.retention.servicer.callers import calling_service
from services.retention.translation import requests, responses


class KeyServicer(key_service_pb2_grpc.KeyServiceServicer):
    """`pellicule.internal.retention.v1.KeyService`."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def GrantPurposeKey(
        self, request: key_service_pb2.GrantPurposeKeyRequest, context: Context
    ) -> key_service_pb2.GrantPurposeKeyResponse:
        """Create or prolong the key of a purpose."""
        revision = await grant_purpose_key(requests.grant(request), self._dependencies)
        return key_service_pb2.GrantPurposeKeyResponse(purpose_revision=revision)

    async def DestroyPurposeKeys(
        self, request: key_service_pb2.DestroyPurposeKeysRequest, context: Context
    ) -> key_service_pb2.DestroyPurposeKeysResponse:
        """Destroy the keys of purposes."""
        wanted = requests.purpose_destruction(request)
        destroy_time, latest = await destroy_purpose_keys(
            wanted.subject, wanted.purposes, wanted.revision, self._dependencies
        )
        return key_service_pb2.DestroyPurposeKeysResponse(
            destroy_time=responses.timestamp(destroy_time), latest_revision=latest
        )

    async def GetPurposeKey(
        self, request: key_service_pb2.GetPurposeKeyRequest, context: Context
    ) -> key_service_pb2.GetPurposeKeyResponse:
        """Return what holds for the key of a purpose."""
        subject, purpose = requests.owner(request.subject, request.purpose)
        key = await get_purpose_key(subject, purpose, self._dependencies)
        return key_service_pb2.GetPurposeKeyResponse(
            purpose_revision=key.revision,
            expire_time=responses.timestamp(key.expire_time),
            reach_back_time=responses.timestamp(key.reach_back_time),
        )

    async def FindKeptMedia(
        self, request: key_service_pb2.FindKeptMediaRequest, context: Context
    ) -> key_service_pb2.FindKeptMediaResponse:
        """Tell which media are kept."""
        subject, media = requests.media_to_find(request)
        kept = await self._dependencies.store.kept_media(subject, media, self._dependencies.clock.now())
        return key_service_pb2.FindKeptMediaResponse(media=[f"media/{each}" for each in kept])

    async def CreateDataKeys(
        self, request: key_service_pb2.CreateDataKeysRequest, context: Context
    ) -> key_service_pb2.CreateDataKeysResponse:
        """Create data keys for the calling service."""
        wanted = requests.key_creation(request)
        created, revision = await create_data_keys(
            wanted.subject, wanted.purpose, calling_service(), wanted.keys, self._dependencies
        )
        return key_service_pb2.CreateDataKeysResponse(keys=responses.data_keys(created), purpose_revision=revision)

    async def OpenDataKeys(
        self, request: key_service_pb2.OpenDataKeysRequest, context: Context
    ) -> key_service_pb2.OpenDataKeysResponse:
        """Open data keys."""
        subject, purpose, ids = requests.key_opening(request)
        opened, revision = await open_data_keys(subject, purpose, ids, Reader(calling_service()), self._dependencies)
        return key_service_pb2.OpenDataKeysResponse(keys=responses.data_keys(opened), purpose_revision=revision)

    async def DestroyDataKeys(
        self, request: key_service_pb2.DestroyDataKeysRequest, context: Context
    ) -> key_service_pb2.DestroyDataKeysResponse:
        """Destroy data keys of the calling service."""
        subject, ids = requests.key_destruction(request)
        count = await destroy_data_keys(subject, calling_service(), ids, self._dependencies)
        return key_service_pb2.DestroyDataKeysResponse(destroyed_count=count)

    async def WatchRevocations(
        self, request: key_service_pb2.WatchRevocationsRequest, context: Context
    ) -> AsyncIterator[key_service_pb2.WatchRevocationsResponse]:
        """Send what is destroyed, and a heartbeat each second."""
        async for destroyed in self._dependencies.revocations.watch():
            if not destroyed:
                yield key_service_pb2.WatchRevocationsResponse()
            for one in destroyed:
                yield responses.revocation(one)

    async def HoldKeys(
        self, request_iterator: AsyncIterator[key_service_pb2.HoldKeysRequest], context: Context
    ) -> AsyncIterator[key_service_pb2.HoldKeysResponse]:
        """Send what is destroyed and the leases asked for, and hear what was dropped."""
        async for news in self._dependencies.revocations.hold(_words(request_iterator)):
            yield responses.holder_news(news)


async def _words(messages: AsyncIterator[key_service_pb2.HoldKeysRequest]) -> AsyncIterator[HolderWord]:
    async for message in messages:
        yield requests.holder_word(message)
