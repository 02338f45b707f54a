"""Measurements reach a collector over OTLP."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from services.chassis.certificates.files import check_authorities, read_authorities
from services.chassis.certificates.renewal import Renewed
from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.failed_work.dead_letters import DeadLetter, DeadLetters
from services.chassis.failed_work.set_aside import Item, PostgresSetAside
from services.chassis.gauges import Gauges, Reading, database_gauges, disk_gauge, pool_gauges
from services.chassis.messaging.events import IncomingEvent, OutgoingEvent
from services.chassis.messaging.outbox import append
from services.chassis.metrics import (
    CPU_TIME,
    DEAD_LETTERS,
    DISK_FREE,
    MEMORY,
    OUTBOX_AGE,
    OUTBOX_PENDING,
    POOL_CONNECTIONS,
    POOL_MAX,
    POOL_PENDING,
    RPC_DURATION,
    SET_ASIDE,
    Measurements,
    Metric,
)
from services.chassis.server import running_server
from services.chassis.supervision import supervised
from services.chassis.telemetry.collector import Collector
from services.chassis.telemetry.process import LoopDelay, ProcessGauges
from services.chassis.telemetry.providers import Telemetry, telemetry
from tests.fakes.certificates import FakeAuthority
from tests.fakes.clock import FakeClock
from tests.fakes.measured import points
from tests.fakes.otlp_collector import OtlpCollector, collecting
from tests.integration.chassis import echo
from tests.integration.chassis.conftest import Site, internal_channel
from tests.integration.eventually import eventually


def received(collector: OtlpCollector) -> set[tuple[str, str]]:
    return {(each.service, each.name) for each in collector.measurements}


@pytest.mark.parametrize("scheme", ["", "http://", "grpc://"])
async def test_what_is_measured_is_sent_at_the_latest_when_the_process_ends(scheme: str) -> None:
    with collecting() as (collector, address):
        made = Telemetry.of("analysis", Collector(f"{scheme}{address}"), ratio=1)
        made.meters.get_meter("test").create_counter("photos").add(1)
        await made.close()
    assert received(collector) == {("analysis", "photos")}


@pytest.mark.parametrize("scheme", ["https://", "grpcs://"])
async def test_everything_goes_under_tls_when_the_address_says_so(scheme: str, tmp_path: Path) -> None:
    files = FakeAuthority(tmp_path).issue("collector")
    credentials = grpc.ssl_server_credentials([(files.key.read_bytes(), files.certificate.read_bytes())])
    authorities = Renewed(partial(read_authorities, files.ca), check_authorities, SystemClock())
    with collecting(credentials) as (collector, address):
        made = Telemetry.of("analysis", Collector(f"{scheme}{address}", authorities), ratio=1)
        made.meters.get_meter("test").create_counter("photos").add(1)
        with made.tracers.get_tracer("test").start_as_current_span("look"):
            made.loggers.get_logger("test").emit(body="seen")
        await made.close()
    assert received(collector) == {("analysis", "photos")}
    assert ([each.name for each in collector.spans], [each.name for each in collector.lines]) == (["look"], ["seen"])


async def test_a_collectors_authority_is_renewed(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(FakeAuthority(tmp_path_factory.mktemp("stranger")).pem)
    authorities = Renewed(partial(read_authorities, bundle), check_authorities, SystemClock())
    files = FakeAuthority(tmp_path).issue("collector")
    credentials = grpc.ssl_server_credentials([(files.key.read_bytes(), files.certificate.read_bytes())])
    with collecting(credentials) as (collector, address):
        made = Telemetry.of("analysis", Collector(f"https://{address}", authorities), ratio=1)
        bundle.write_bytes(files.ca.read_bytes())
        await authorities.look()
        made.meters.get_meter("test").create_counter("photos").add(1)
        with made.tracers.get_tracer("test").start_as_current_span("look"):
            made.loggers.get_logger("test").emit(body="seen")
        await made.close()
    assert received(collector) == {("analysis", "photos")}
    assert ([each.name for each in collector.spans], [each.name for each in collector.lines]) == (["look"], ["seen"])


async def test_a_process_says_which_it_is() -> None:
    with collecting() as (collector, address):
        for _ in range(2):
            made = Telemetry.of("analysis", Collector(address), ratio=1)
            made.meters.get_meter("test").create_counter("photos").add(1)
            await made.close()
    first, second = (each.resource for each in collector.measurements)
    assert (first["service.namespace"], first["service.name"]) == ("pellicule", "analysis")
    assert first["service.version"] == version("pellicule")
    assert len(first["service.instance.id"]) == 36
    assert first["service.instance.id"] == second["service.instance.id"]


async def test_a_collector_that_is_away_keeps_no_process_from_ending() -> None:
    made = Telemetry.of("analysis", Collector("127.0.0.1:9"), ratio=1)
    made.meters.get_meter("test").create_counter("photos").add(1)
    with made.tracers.get_tracer("test").start_as_current_span("look"):
        made.loggers.get_logger("test").emit(body="seen")
    async with asyncio.timeout(15):
        await made.close()


async def test_nothing_is_told_where_there_is_nowhere_to_send_it() -> None:
    async with telemetry("analysis", None, ratio=1) as told:
        assert told is None


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def measurements(reader: InMemoryMetricReader) -> Measurements:
    return Measurements(MeterProvider([reader]).get_meter("test"))


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
    call = {"rpc.system.name": "grpc", "rpc.method": f"{echo.SERVICE}/Say"}
    assert points(reader, RPC_DURATION) == [
        ({**call, "rpc.response.status_code": "OK"}, 1),
        ({**call, "rpc.response.status_code": "RESOURCE_EXHAUSTED", "error.type": "ALBUM_FULL"}, 1),
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


async def test_connections_are_measured_by_what_they_do(
    pool: Pool, reader: InMemoryMetricReader, measurements: Measurements
) -> None:
    async with pool.connection(), supervised([Gauges([pool_gauges(main=pool)], measurements, SystemClock()).run]):
        await eventually(lambda: _measured(reader, POOL_CONNECTIONS))
    of = {"db.client.connection.pool.name": "main"}
    assert ({**of, "db.client.connection.state": "used"}, 1) in points(reader, POOL_CONNECTIONS)
    assert points(reader, POOL_MAX) == [(of, 6)]
    assert points(reader, POOL_PENDING) == [(of, 0)]


async def test_the_process_measures_itself(reader: InMemoryMetricReader, measurements: Measurements) -> None:
    async with supervised([Gauges([ProcessGauges()], measurements, SystemClock()).run]):
        await eventually(lambda: _measured(reader, CPU_TIME))
    ((_, resident),) = points(reader, MEMORY)
    assert resident > 1 << 20
    assert {str(each["cpu.mode"]) for each, _ in points(reader, CPU_TIME)} == {"user", "system"}


async def test_an_event_loop_that_is_held_up_is_measured(
    reader: InMemoryMetricReader, measurements: Measurements
) -> None:
    clock = FakeClock()
    async with supervised([LoopDelay(measurements, clock).run]):
        await clock.advance(0)
        await clock.advance(1.3)
    data = reader.get_metrics_data()
    assert data is not None
    (point,) = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert isinstance(point, HistogramDataPoint)
    assert (point.count, round(point.sum, 3)) == (1, 0.3)


async def _measured(reader: InMemoryMetricReader, metric: Metric) -> bool:
    return bool(points(reader, metric))


async def test_what_cannot_be_looked_at_stops_nothing(reader: InMemoryMetricReader, measurements: Measurements) -> None:
    async def broken() -> list[Reading]:
        raise DependencyUnavailable.of("database")

    async def whole() -> list[Reading]:
        return [Reading(DISK_FREE, 1)]

    async with supervised([Gauges([broken, whole], measurements, SystemClock()).run]):
        await eventually(lambda: taken(reader))


async def test_what_cannot_be_looked_at_any_more_has_no_value(
    reader: InMemoryMetricReader, measurements: Measurements
) -> None:
    clock, known = FakeClock(), [5.0]

    async def look() -> list[Reading]:
        return [Reading(DISK_FREE, known.pop())]

    async with supervised([Gauges([look], measurements, clock).run]):
        await clock.advance(0)
        before = points(reader, DISK_FREE)
        await clock.advance(30)
    assert (before, points(reader, DISK_FREE)) == ([({}, 5.0)], [])


async def test_what_has_gone_is_none(reader: InMemoryMetricReader, measurements: Measurements) -> None:
    clock, consumers = FakeClock(), ["worker", "sweeper"]

    async def look() -> list[Reading]:
        return [Reading(DEAD_LETTERS, 2, {"consumer": consumers.pop()})] if consumers else []

    async with supervised([Gauges([look], measurements, clock).run]):
        for _ in range(3):
            await clock.advance(30)
    assert sorted(points(reader, DEAD_LETTERS), key=str) == [({"consumer": "sweeper"}, 0), ({"consumer": "worker"}, 0)]
