"""Carries out the retention service's orders to delete."""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta

import grpc

from pellicule.internal.retention.v1 import purge_order_pb2, purge_service_pb2, purge_service_pb2_grpc
from services.chassis.clock import Clock, wait_within
from services.chassis.failed_work.set_aside import Item, SetAside
from services.chassis.failed_work.turns import Turns
from services.chassis.loops import Wall
from services.chassis.messaging.bus import Bus
from services.chassis.messaging.consumer import Consumer, IncomingEvent
from services.chassis.metrics import Measurements, Metric, MetricKind
from services.keyring import translation
from services.keyring.orders import PurgeHandler, PurgeOrder, SubjectScope

SWEEP_SECONDS = 60.0
"""Orders whose event was lost, and orders that failed, wait for this long."""
_RETRY_SECONDS = 5.0
_STREAM = "RETENTION"
_EVENT = purge_order_pb2.PurgeOrdered.DESCRIPTOR.full_name
_PAGE = 100

ORDER_DURATION = Metric(
    "pellicule.purge_orders.duration",
    MetricKind.HISTOGRAM,
    "s",
    "Time from an order to delete until it is carried out, by cause; an erasure is to be within a day",
    ("cause",),
    (1.0, 10.0, 60.0, 600.0, 3600.0, 21600.0, 86400.0),
)
DELETED = Metric(
    "pellicule.purge.deleted",
    MetricKind.COUNTER,
    "{item}",
    "Rows and objects deleted by orders, by store (as in the data map) and cause",
    ("store", "cause"),
)


class PurgeLoop:
    """Asks for this service's orders at start, at every hint and every minute, and carries them out one by one.

    The event is a hint and no more: orders are read from the retention service, so a lost, repeated or late event
    changes nothing. One that fails is set aside, and tried again later. `run` is a task of the process.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        service: str,
        bus: Bus,
        execute: PurgeHandler,
        clock: Clock,
        set_aside: SetAside,
    ) -> None:
        """Describe the loop.

        Args:
            channel: To the retention service.
            service: Whose orders.
            bus: Where hints come from.
            execute: Carries an order out.
            clock: Says when it is time for another look.
            set_aside: Where orders that failed are kept.
        """
        self._stub = purge_service_pb2_grpc.PurgeServiceStub(channel)
        self._service = service
        self._bus = bus
        self._execute = execute
        self._clock = clock
        self._set_aside = set_aside
        self._measurements = Measurements()
        self._turns = Turns("purge_order", set_aside, clock)
        self._wall = Wall("purge", clock)
        self._hint = asyncio.Event()

    async def run(self) -> None:
        """Carry out orders, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consumer().run())
            tasks.create_task(self._run_sweep())

    async def sweep(self) -> int:
        """Carry out what is outstanding now, and return how many orders were completed.

        Raises:
            DependencyUnavailable: the retention service does not answer, or nothing that an order needs.
        """
        return await self._turns.take(self._outstanding, _item, self._carry_out)

    async def _run_sweep(self) -> None:
        while True:
            self._hint.clear()
            succeeded = await self._wall.attempt(self.sweep)
            await wait_within(self._hint, SWEEP_SECONDS if succeeded else _RETRY_SECONDS, self._clock)

    async def _outstanding(self, without: AbstractSet[str]) -> Sequence[purge_order_pb2.PurgeOrder]:
        """Return the first page of orders that has any but these."""
        token = ""
        while True:
            page = await self._page(token)
            orders = [order for order in page.orders if order.name not in without]
            token = page.next_page_token
            if orders or not token:
                return orders

    async def _page(self, token: str) -> purge_service_pb2.ListPurgeOrdersResponse:
        request = purge_service_pb2.ListPurgeOrdersRequest(page_size=_PAGE, page_token=token)
        try:
            return await self._stub.ListPurgeOrders(request)
        except grpc.aio.AioRpcError as error:
            raise translation.keyring_error(error) from error

    async def _carry_out(self, message: purge_order_pb2.PurgeOrder) -> None:
        order = translation.purge_order(message)
        deleted = await self._execute(order)
        await self._complete(order, deleted)
        self._measure(order, deleted)
        if isinstance(order.scope, SubjectScope):
            await self._set_aside.forget(order.subject)

    async def _complete(self, order: PurgeOrder, deleted: Mapping[str, int]) -> None:
        stores = [purge_service_pb2.PurgedStore(store=store, purged_count=count) for store, count in deleted.items()]
        request = purge_service_pb2.CompletePurgeOrderRequest(name=order.name, stores=stores)
        try:
            await self._stub.CompletePurgeOrder(request)
        except grpc.aio.AioRpcError as error:
            raise translation.keyring_error(error) from error

    def _measure(self, order: PurgeOrder, deleted: Mapping[str, int]) -> None:
        seconds = (self._clock.now() - order.create_time).total_seconds()
        self._measurements.measure(ORDER_DURATION, seconds, {"cause": order.cause})
        for store, count in deleted.items():
            self._measurements.measure(DELETED, count, {"store": store, "cause": order.cause})

    def _consumer(self) -> Consumer:
        return Consumer(
            self._bus,
            stream=_STREAM,
            durable=f"{self._service}-purge",
            types=[_EVENT],
            handle=self._take_hint,
            ack_wait=timedelta(seconds=10),
        )

    async def _take_hint(self, event: IncomingEvent) -> None:
        if purge_order_pb2.PurgeOrdered.FromString(event.body).service == self._service:
            self._hint.set()


def _item(order: purge_order_pb2.PurgeOrder) -> Item:
    return Item(order.name, order.subject)
