"""Servicer of PurgeService, for services alone."""

from pellicule.internal.retention.v1 import purge_service_pb2, purge_service_pb2_grpc
from services.chassis.calls import Context
from services.chassis.paging import PageQuery
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.purge_orders import complete_purge_order, list_purge_orders
from services.retention.servicer.callers import calling_service
from services.retention.translation import requests, responses


class PurgeServicer(purge_service_pb2_grpc.PurgeServiceServicer):
    """`pellicule.internal.retention.v1.PurgeService`."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def ListPurgeOrders(
        self, request: purge_service_pb2.ListPurgeOrdersRequest, context: Context
    ) -> purge_service_pb2.ListPurgeOrdersResponse:
        """List the calling service's outstanding orders."""
        service = calling_service()
        page = requests.page(request, PageQuery("ListPurgeOrders", "", (service,)))
        after = 0 if page.cursor is None else int(page.cursor[0])
        found = await list_purge_orders(service, after=after, limit=page.size + 1, dependencies=self._dependencies)
        more = len(found) > page.size
        return purge_service_pb2.ListPurgeOrdersResponse(
            orders=[responses.purge_order(order) for _, order in found[: page.size]],
            next_page_token=page.next_token(str(found[page.size - 1][0])) if more else "",
        )

    async def CompletePurgeOrder(
        self, request: purge_service_pb2.CompletePurgeOrderRequest, context: Context
    ) -> purge_service_pb2.CompletePurgeOrderResponse:
        """Take the report that an order was carried out."""
        order, purged = requests.order_report(request)
        await complete_purge_order(calling_service(), order, purged, self._dependencies)
        return purge_service_pb2.CompletePurgeOrderResponse()
