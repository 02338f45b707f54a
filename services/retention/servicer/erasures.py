"""Servicer of RetentionService, for persons."""

from pellicule.retention.v1 import retention_service_pb2, retention_service_pb2_grpc
from services.chassis.calls import Context
from services.chassis.paging import PageQuery
from services.chassis.principal import current_subject
from services.retention.domain.erasure import Erasure
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.read_erasures import get_erasure, list_erasures
from services.retention.operations.request_erasure import erase_everything, erase_media
from services.retention.operations.shorten_deadline import shorten_deadline
from services.retention.translation import requests, responses

_NEWEST = 2**62


class RetentionServicer(retention_service_pb2_grpc.RetentionServiceServicer):
    """`pellicule.retention.v1.RetentionService`."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def RequestErasure(
        self, request: retention_service_pb2.RequestErasureRequest, context: Context
    ) -> retention_service_pb2.RequestErasureResponse:
        """Erase one media, or everything of the caller."""
        erased = await self._erase(current_subject(), requests.erasure_request(request))
        _, stores = await get_erasure(erased.subject, erased.id, self._dependencies)
        return retention_service_pb2.RequestErasureResponse(erasure=responses.erasure(erased, stores))

    async def GetErasure(
        self, request: retention_service_pb2.GetErasureRequest, context: Context
    ) -> retention_service_pb2.GetErasureResponse:
        """Return an erasure of the caller."""
        erasure = requests.resource(request.name, "erasures")
        found, stores = await get_erasure(current_subject(), erasure, self._dependencies)
        return retention_service_pb2.GetErasureResponse(erasure=responses.erasure(found, stores))

    async def ListErasures(
        self, request: retention_service_pb2.ListErasuresRequest, context: Context
    ) -> retention_service_pb2.ListErasuresResponse:
        """List the erasures of the caller."""
        subject = current_subject()
        page = requests.page(request, PageQuery("ListErasures", subject))
        before = _NEWEST if page.cursor is None else int(page.cursor[0])
        found = await list_erasures(subject, before=before, limit=page.size + 1, dependencies=self._dependencies)
        more = len(found) > page.size
        return retention_service_pb2.ListErasuresResponse(
            erasures=[responses.erasure(one, stores) for _, one, stores in found[: page.size]],
            next_page_token=page.next_token(str(found[page.size - 1][0])) if more else "",
        )

    async def ShortenDeadline(
        self, request: retention_service_pb2.ShortenDeadlineRequest, context: Context
    ) -> retention_service_pb2.ShortenDeadlineResponse:
        """Bring the end of a media forward."""
        change = requests.deadline_change(request)
        changed = await shorten_deadline(current_subject(), change.media, change.delete_time, self._dependencies)
        return retention_service_pb2.ShortenDeadlineResponse(
            delete_time=responses.timestamp(change.delete_time), changed_count=changed
        )

    async def GetDataMap(
        self, request: retention_service_pb2.GetDataMapRequest, context: Context
    ) -> retention_service_pb2.GetDataMapResponse:
        """Return the data map."""
        language = requests.language(request.language_code)
        stores = self._dependencies.data_map.stores
        return retention_service_pb2.GetDataMapResponse(
            stores=[responses.data_store(store, language) for store in stores]
        )

    async def _erase(self, subject: str, wanted: requests.ErasureRequest) -> Erasure:
        if wanted.media is None:
            return await erase_everything(subject, wanted.request_id, self._dependencies)
        return await erase_media(subject, wanted.media, wanted.request_id, self._dependencies)
