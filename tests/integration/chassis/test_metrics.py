"""Measurements reach a collector over OTLP."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SpanExportResult

from services.chassis.certificates.files import check_authorities, read_authorities
from services.chassis.certificates.renewal import Renewed
from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.failed_work.dead_letters import DeadLetter, DeadLetters
from services.chassis.failed_work.set_aside import Item, PostgresSetAside
from services.chassis.gauges import Gauges, Reading, database_gauges, disk_gauge
from services.chassis.messaging.events import IncomingEvent, OutgoingEvent
from services.chassis.messaging.outbox import append
from services.chassis.metrics import (
    DEAD_LETTERS,
    DISK_FREE,
    OUTBOX_AGE,
    OUTBOX_PENDING,
    RPC_DURATION,
    SET_ASIDE,
    Measurements,
    Metric,
)
from services.chassis.server import running_server
from services.chassis.supervision import supervised
from services.chassis.telemetry import Collector, configure_metrics, meter_provider
from tests.fakes.certificates import FakeAuthority
from tests.fakes.clock import FakeClock
from tests.integration.chassis import echo
from tests.integration.chassis.conftest import Site, internal_channel
from tests.integration.eventually import eventually


class FakeCollector(metrics_service_pb2_grpc.MetricsServiceServicer):
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


class FakeTraces(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes what it is sent."""

    async def Export(  # noqa: N802
        self,
        request: trace_service_pb2.ExportTraceServiceRequest,
        context: "grpc.aio.ServicerContext[object, object]",
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        return trace_service_pb2.ExportTraceServiceResponse()


@asynccontextmanager
async def collecting(credentials: grpc.ServerCredentials | None = None) -> AsyncIterator[tuple[FakeCollector, str]]:
    """Run a collector for the time of the block, and give its `host:port`."""
    collector, server = FakeCollector(), grpc.aio.server()
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(FakeTraces(), server)  # type: ignore[no-untyped-call]
    address = "127.0.0.1:0"
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    await server.start()
    try:
        yield collector, f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


@pytest.mark.parametrize("scheme", ["", "http://", "grpc://"])
async def test_what_is_measured_is_sent_at_the_latest_when_the_process_ends(scheme: str) -> None:
    async with collecting() as (collector, address):
        provider = meter_provider("analysis", Collector(f"{scheme}{address}"))
        provider.get_meter("test").create_counter("photos").add(1)
        await asyncio.to_thread(provider.shutdown)
    assert collector.received == {("analysis", "photos")}


@pytest.mark.parametrize("scheme", ["https://", "grpcs://"])
async def test_measurements_and_traces_go_under_tls_when_the_address_says_so(scheme: str, tmp_path: Path) -> None:
    files = FakeAuthority(tmp_path).issue("collector")
    credentials = grpc.ssl_server_credentials([(files.key.read_bytes(), files.certificate.read_bytes())])
    async with collecting(credentials) as (collector, address):
        authorities = Renewed(partial(read_authorities, files.ca), check_authorities, SystemClock())
        telemetry = Collector(f"{scheme}{address}", authorities)
        provider = meter_provider("analysis", telemetry)
        provider.get_meter("test").create_counter("photos").add(1)
        await asyncio.to_thread(provider.shutdown)
        sent = await asyncio.to_thread(telemetry.span_exporter().export, [])
    assert (collector.received, sent) == ({("analysis", "photos")}, SpanExportResult.SUCCESS)


async def test_a_collectors_authority_is_renewed(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(FakeAuthority(tmp_path_factory.mktemp("stranger")).pem)
    authorities = Renewed(partial(read_authorities, bundle), check_authorities, SystemClock())
    files = FakeAuthority(tmp_path).issue("collector")
    credentials = grpc.ssl_server_credentials([(files.key.read_bytes(), files.certificate.read_bytes())])
    async with collecting(credentials) as (collector, address):
        exporter = Collector(f"https://{address}", authorities).span_exporter()
        provider = meter_provider("analysis", Collector(f"https://{address}", authorities))
        bundle.write_bytes(files.ca.read_bytes())
        await authorities.look()
        provider.get_meter("test").create_counter("photos").add(1)
        await asyncio.to_thread(provider.shutdown)
        sent = await asyncio.to_thread(exporter.export, [])
    assert (collector.received, sent) == ({("analysis", "photos")}, SpanExportResult.SUCCESS)


def test_nothing_is_measured_where_there_is_nowhere_to_send_it() -> None:
    assert configure_metrics("analysis", None) is None


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def measurements(reader: InMemoryMetricReader) -> Measurements:
    return Measurements(MeterProvider([reader]).get_meter("test"))


def points(reader: InMemoryMetricReader, metric: Metric) -> list[tuple[Mapping[str, object], float]]:
    """Return attributes and value, or count, of each point of a metric."""
    data = reader.get_metrics_data()
    if data is None:
        return []
    every = [each for resource in data.resource_metrics for scope in resource.scope_metrics for each in scope.metrics]
    found = [point for each in every if each.name == metric.name for point in each.data.data_points]
    return [(dict(point.attributes or {}), getattr(point, "count", getattr(point, "value", 0))) for point in found]


async def taken(reader: InMemoryMetricReader) -> bool:
    return bool(points(reader, DISK_FREE))


async def test_every_rpc_is_measured_with_how_it_ended(
    site: Site, reader: InMemoryMetricReader, measurements: Measurements
) -> None:
    running = running_server(
        name="test",
        settings=site.settings("test"),
        register=echo.Echo().register,
        service_names=[echo.SERVICE],
        access=echo.ACCESS,
        clock=SystemClock(),
        measurements=measurements,
    )
    async with (
        running as server,
        internal_channel(server.internal_port, site.authority.issue("analysis")) as channel,
    ):
        stub = echo.EchoStub(channel)
        await stub.say(StringValue(value="a"))
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.say(StringValue(value="full"))
    call = {"rpc.system": "grpc", "rpc.service": echo.SERVICE, "rpc.method": "Say"}
    assert points(reader, RPC_DURATION) == [
        ({**call, "rpc.grpc.status_code": 0}, 1),
        ({**call, "rpc.grpc.status_code": 8, "error.type": "ALBUM_FULL"}, 1),
    ]


async def test_what_waits_in_the_database_is_measured(
    pool: Pool, reader: InMemoryMetricReader, measurements: Measurements, tmp_path: Path
) -> None:
    async with pool.connection() as connection:
        await append(connection, OutgoingEvent(type="t", subject="s", body=b""))
    event = IncomingEvent("1", "t", "/s", "s", datetime.now(UTC), b"")
    await DeadLetters(pool).put(DeadLetter.of("worker", event, deliveries=8, reason="X"))
    await PostgresSetAside(pool).put("order", Item("1"), "KeyError", datetime.now(UTC))
    looks = [database_gauges(pool), disk_gauge(tmp_path)]
    async with supervised([Gauges(looks, measurements, SystemClock()).run]):
        await eventually(lambda: taken(reader))
    assert points(reader, OUTBOX_PENDING) == [({}, 1)]
    assert points(reader, DEAD_LETTERS) == [({"consumer": "worker"}, 1)]
    assert points(reader, SET_ASIDE) == [({"kind": "order"}, 1)]
    assert points(reader, OUTBOX_AGE)[0][1] < 60


async def test_what_cannot_be_looked_at_stops_nothing(reader: InMemoryMetricReader, measurements: Measurements) -> None:
    async def broken() -> list[Reading]:
        raise DependencyUnavailable.of("database")

    async def whole() -> list[Reading]:
        return [Reading(DISK_FREE, 1)]

    async with supervised([Gauges([broken, whole], measurements, SystemClock()).run]):
        await eventually(lambda: taken(reader))


async def test_what_has_gone_is_none(reader: InMemoryMetricReader, measurements: Measurements) -> None:
    clock, consumers = FakeClock(), ["worker", "sweeper"]

    async def look() -> list[Reading]:
        return [Reading(DEAD_LETTERS, 2, {"consumer": consumers.pop()})] if consumers else []

    async with supervised([Gauges([look], measurements, clock).run]):
        for _ in range(3):
            await clock.advance(30)
    assert sorted(points(reader, DEAD_LETTERS), key=str) == [({"consumer": "sweeper"}, 0), ({"consumer": "worker"}, 0)]
