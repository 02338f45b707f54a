"""Servicers of KeyService, PurgeService and RetentionService: parse, operate, render."""

from collections.abc import AsyncIterator

import grpc

from pellicule.retention.v1 import (
    key_service_pb2,
    key_service_pb2_grpc,
    purge_service_pb2,
    purge_service_pb2_grpc,
    retention_service_pb2,
    retention_service_pb2_grpc,
)
from services.chassis.calls import Context
from services.chassis.errors import CallerNotAllowed, FieldInvalid
from services.chassis.principal import Service, current_principal, current_subject
from services.retention import translation
from services.retention.domain.erasure import Erasure
from services.retention.operations.create_data_keys import create_data_keys
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destroy_data_keys import destroy_data_keys
from services.retention.operations.destroy_purposes import destroy_purpose_keys
from services.retention.operations.grant_purpose import grant_purpose_key
from services.retention.operations.open_data_keys import open_data_keys
from services.retention.operations.open_purpose import get_purpose_key
from services.retention.operations.purge_orders import complete_purge_order, list_purge_orders
from services.retention.operations.read_erasures import get_erasure, list_erasures
from services.retention.operations.request_erasure import erase_everything, erase_media
from services.retention.operations.shorten_deadline import shorten_deadline

_NEWEST = 2**62


class KeyServicer(key_service_pb2_grpc.KeyServiceServicer):
    """`pellicule.retention.v1.KeyService`."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def GrantPurposeKey(
        self, request: key_service_pb2.GrantPurposeKeyRequest, context: Context
    ) -> key_service_pb2.GrantPurposeKeyResponse:
        """Creates or prolongs the key of a purpose."""
        revision = await grant_purpose_key(translation.grant(request), self._dependencies)
        return key_service_pb2.GrantPurposeKeyResponse(purpose_revision=revision)

    async def DestroyPurposeKeys(
        self, request: key_service_pb2.DestroyPurposeKeysRequest, context: Context
    ) -> key_service_pb2.DestroyPurposeKeysResponse:
        """Destroys the keys of purposes."""
        destroy_time = await destroy_purpose_keys(
            translation.subject(request.subject),
            translation.purposes(request.purposes),
            translation.revision(request.revision),
            self._dependencies,
        )
        return key_service_pb2.DestroyPurposeKeysResponse(destroy_time=translation.timestamp(destroy_time))

    async def GetPurposeKey(
        self, request: key_service_pb2.GetPurposeKeyRequest, context: Context
    ) -> key_service_pb2.GetPurposeKeyResponse:
        """Returns what holds for the key of a purpose."""
        key = await get_purpose_key(
            translation.subject(request.subject), translation.purpose(request.purpose), self._dependencies
        )
        return key_service_pb2.GetPurposeKeyResponse(
            purpose_revision=key.revision,
            expire_time=translation.timestamp(key.expire_time),
            reach_back_time=translation.timestamp(key.reach_back_time),
        )

    async def CreateDataKeys(
        self, request: key_service_pb2.CreateDataKeysRequest, context: Context
    ) -> key_service_pb2.CreateDataKeysResponse:
        """Creates data keys for the calling service."""
        created, revision = await create_data_keys(
            translation.subject(request.subject),
            translation.purpose(request.purpose),
            _calling_service(),
            translation.key_requests(request.keys),
            self._dependencies,
        )
        return key_service_pb2.CreateDataKeysResponse(keys=translation.data_keys(created), purpose_revision=revision)

    async def OpenDataKeys(
        self, request: key_service_pb2.OpenDataKeysRequest, context: Context
    ) -> key_service_pb2.OpenDataKeysResponse:
        """Opens data keys."""
        opened, revision = await open_data_keys(
            translation.subject(request.subject),
            translation.purpose(request.purpose),
            translation.key_ids(request.ids),
            self._dependencies,
        )
        return key_service_pb2.OpenDataKeysResponse(keys=translation.data_keys(opened), purpose_revision=revision)

    async def DestroyDataKeys(
        self, request: key_service_pb2.DestroyDataKeysRequest, context: Context
    ) -> key_service_pb2.DestroyDataKeysResponse:
        """Destroys data keys of the calling service."""
        count = await destroy_data_keys(
            translation.subject(request.subject),
            _calling_service(),
            translation.key_ids(request.ids),
            self._dependencies,
        )
        return key_service_pb2.DestroyDataKeysResponse(destroyed_count=count)

    async def WatchRevocations(
        self, request: key_service_pb2.WatchRevocationsRequest, context: Context
    ) -> AsyncIterator[key_service_pb2.WatchRevocationsResponse]:
        """Sends what is destroyed, and a heartbeat each second."""
        async for destroyed in self._dependencies.revocations.watch():
            if not destroyed:
                yield key_service_pb2.WatchRevocationsResponse()
            for one in destroyed:
                yield translation.revocation(one)


class PurgeServicer(purge_service_pb2_grpc.PurgeServiceServicer):
    """`pellicule.retention.v1.PurgeService`."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def ListPurgeOrders(
        self, request: purge_service_pb2.ListPurgeOrdersRequest, context: Context
    ) -> purge_service_pb2.ListPurgeOrdersResponse:
        """Lists the calling service's outstanding orders."""
        size = translation.page_size(request.page_size)
        after = translation.page_position(request.page_token, 0)
        found = await list_purge_orders(
            _calling_service(), after=after, limit=size + 1, dependencies=self._dependencies
        )
        return purge_service_pb2.ListPurgeOrdersResponse(
            orders=[translation.purge_order(order) for _, order in found[:size]],
            next_page_token=str(found[size - 1][0]) if len(found) > size else "",
        )

    async def CompletePurgeOrder(
        self, request: purge_service_pb2.CompletePurgeOrderRequest, context: Context
    ) -> purge_service_pb2.CompletePurgeOrderResponse:
        """Takes the report that an order was carried out."""
        await complete_purge_order(
            _calling_service(),
            translation.resource(request.name, "purgeOrders", "name"),
            translation.purged(request.stores),
            self._dependencies,
        )
        return purge_service_pb2.CompletePurgeOrderResponse()


class RetentionServicer(retention_service_pb2_grpc.RetentionServiceServicer):
    """`pellicule.retention.v1.RetentionService`."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def RequestErasure(
        self, request: retention_service_pb2.RequestErasureRequest, context: Context
    ) -> retention_service_pb2.RequestErasureResponse:
        """Erases one media, or everything of the caller."""
        erased = await self._erase(current_subject(), request)
        _, stores = await get_erasure(erased.subject, erased.id, self._dependencies)
        return retention_service_pb2.RequestErasureResponse(erasure=translation.erasure(erased, stores))

    async def GetErasure(
        self, request: retention_service_pb2.GetErasureRequest, context: Context
    ) -> retention_service_pb2.GetErasureResponse:
        """Returns an erasure of the caller."""
        found, stores = await get_erasure(
            current_subject(), translation.resource(request.name, "erasures", "name"), self._dependencies
        )
        return retention_service_pb2.GetErasureResponse(erasure=translation.erasure(found, stores))

    async def ListErasures(
        self, request: retention_service_pb2.ListErasuresRequest, context: Context
    ) -> retention_service_pb2.ListErasuresResponse:
        """Lists the erasures of the caller."""
        size = translation.page_size(request.page_size)
        found = await list_erasures(
            current_subject(),
            before=translation.page_position(request.page_token, _NEWEST),
            limit=size + 1,
            dependencies=self._dependencies,
        )
        return retention_service_pb2.ListErasuresResponse(
            erasures=[translation.erasure(one, stores) for _, one, stores in found[:size]],
            next_page_token=str(found[size - 1][0]) if len(found) > size else "",
        )

    async def ShortenDeadline(
        self, request: retention_service_pb2.ShortenDeadlineRequest, context: Context
    ) -> retention_service_pb2.ShortenDeadlineResponse:
        """Brings the end of a media forward."""
        translation.uuid(request.request_id, "request_id")
        delete_time = translation.time(request.delete_time, "delete_time")
        changed = await shorten_deadline(
            current_subject(), translation.resource(request.media, "media", "media"), delete_time, self._dependencies
        )
        return retention_service_pb2.ShortenDeadlineResponse(
            delete_time=translation.timestamp(delete_time), changed_count=changed
        )

    async def GetDataMap(
        self, request: retention_service_pb2.GetDataMapRequest, context: Context
    ) -> retention_service_pb2.GetDataMapResponse:
        """Returns the data map."""
        return retention_service_pb2.GetDataMapResponse(
            stores=map(translation.data_store, self._dependencies.data_map.stores)
        )

    async def _erase(self, subject: str, request: retention_service_pb2.RequestErasureRequest) -> Erasure:
        request_id = translation.uuid(request.request_id, "request_id")
        match request.WhichOneof("target"):
            case "media":
                media = translation.resource(request.media, "media", "media")
                return await erase_media(subject, media, request_id, self._dependencies)
            case "everything" if request.everything:
                return await erase_everything(subject, request_id, self._dependencies)
        raise FieldInvalid.of("target", "name a media, or set everything to true")


def register(server: grpc.aio.Server, dependencies: Dependencies) -> None:
    """Add the RPCs to a server."""
    key_service_pb2_grpc.add_KeyServiceServicer_to_server(KeyServicer(dependencies), server)
    purge_service_pb2_grpc.add_PurgeServiceServicer_to_server(PurgeServicer(dependencies), server)
    retention_service_pb2_grpc.add_RetentionServiceServicer_to_server(RetentionServicer(dependencies), server)


def _calling_service() -> str:
    principal = current_principal()
    if isinstance(principal, Service):
        return principal.name
    raise CallerNotAllowed("this call is for services")
