"""Measurements reach a collector over OTLP."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc

from services.chassis.telemetry import configure_metrics, meter_provider


class Collector(metrics_service_pb2_grpc.MetricsServiceServicer):
    """Keeps what it is sent: service and name of each measurement."""

    def __init__(self) -> None:
        self.received = set[tuple[str, str]]()

    async def Export(  # noqa: N802
        self,
        request: metrics_service_pb2.ExportMetricsServiceRequest,
        context: "grpc.aio.ServicerContext[object, object]",
    ) -> metrics_service_pb2.ExportMetricsServiceResponse:
        for resource in request.resource_metrics:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_metrics:
                self.received |= {(names["service.name"], metric.name) for metric in scope.metrics}
        return metrics_service_pb2.ExportMetricsServiceResponse()


@pytest.fixture
async def collector() -> AsyncIterator[tuple[Collector, str]]:
    collector, server = Collector(), grpc.aio.server()
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield collector, f"127.0.0.1:{port}"
    await server.stop(0)


async def test_what_is_measured_is_sent_at_the_latest_when_the_process_ends(collector: tuple[Collector, str]) -> None:
    received, address = collector
    provider = meter_provider("analysis", address)
    provider.get_meter("test").create_counter("photos").add(1)
    await asyncio.to_thread(provider.shutdown)
    assert received.received == {("analysis", "photos")}


def test_nothing_is_measured_where_there_is_nowhere_to_send_it() -> None:
    assert configure_metrics("analysis", None) is None
