from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import StatusCode

from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.server import RunningServer, running_server
from services.chassis.telemetry.spans import inject_trace
from tests.fakes.certificates import certificates_of
from tests.integration.chassis import echo
from tests.integration.chassis.conftest import Site, bearer
from tests.integration.chassis.echo import SERVICE, EchoStub


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@asynccontextmanager
async def traced(site: Site, spans: InMemorySpanExporter, ratio: float) -> AsyncIterator[RunningServer]:
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(ratio)))
    provider.add_span_processor(SimpleSpanProcessor(spans))
    async with running_server(
        name="test",
        settings=site.settings("test"),
        register=echo.Echo().register,
        service_names=[SERVICE],
        access=echo.ACCESS,
        clock=SystemClock(),
        tracer_provider=provider,
    ) as server:
        yield server
    provider.shutdown()


def as_service(site: Site, server: RunningServer) -> grpc.aio.Channel:
    return open_channel(f"127.0.0.1:{server.internal_port}", certificates_of(site.settings("analysis")), service="test")


@pytest.fixture
async def stub(site: Site, spans: InMemorySpanExporter) -> AsyncIterator[EchoStub]:
    async with traced(site, spans, 1) as server, as_service(site, server) as channel:
        yield EchoStub(channel)


async def test_a_call_makes_a_span_that_goes_on_with_the_callers_trace(
    stub: EchoStub, spans: InMemorySpanExporter
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    await stub.say(StringValue(value="a"), metadata=(("traceparent", f"00-{trace}-00f067aa0ba902b7-01"),))
    (span,) = spans.get_finished_spans()
    assert (span.name, format(span.context.trace_id, "032x")) == (f"{SERVICE}/Say", trace)


async def test_a_person_cannot_have_calls_traced_and_a_service_that_traces_can(
    site: Site, spans: InMemorySpanExporter
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    kept = (("traceparent", f"00-{trace}-00f067aa0ba902b7-01"),)
    credentials = grpc.ssl_channel_credentials(site.authority.issue("phone").ca.read_bytes())
    async with (
        traced(site, spans, 0) as server,
        as_service(site, server) as internal,
        grpc.aio.secure_channel(f"127.0.0.1:{server.public_port}", credentials) as public,
    ):
        await EchoStub(public).say(StringValue(value="a"), metadata=(*kept, *bearer(site.token())))
        assert spans.get_finished_spans() == ()
        await EchoStub(internal).say(StringValue(value="a"), metadata=kept)
        assert len(spans.get_finished_spans()) == 1


async def test_the_trace_of_a_person_is_linked_to(site: Site, spans: InMemorySpanExporter) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    credentials = grpc.ssl_channel_credentials(site.authority.issue("phone").ca.read_bytes())
    async with (
        traced(site, spans, 1) as server,
        grpc.aio.secure_channel(f"127.0.0.1:{server.public_port}", credentials) as public,
    ):
        sent = (("traceparent", f"00-{trace}-00f067aa0ba902b7-00"), *bearer(site.token()))
        await EchoStub(public).say(StringValue(value="a"), metadata=sent)
    (span,) = spans.get_finished_spans()
    assert format(span.context.trace_id, "032x") != trace
    assert [format(link.context.trace_id, "032x") for link in span.links] == [trace]


@pytest.mark.parametrize("word", ["bug", "full"])
async def test_a_failed_call_leaves_its_status_in_the_span_and_no_secret(
    stub: EchoStub, spans: InMemorySpanExporter, word: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.say(StringValue(value=word))
    (span,) = spans.get_finished_spans()
    assert span.status.status_code == (StatusCode.ERROR if word == "bug" else StatusCode.UNSET)
    assert span.attributes == {
        "rpc.system.name": "grpc",
        "rpc.method": f"{SERVICE}/Say",
        "rpc.response.status_code": "INTERNAL" if word == "bug" else "RESOURCE_EXHAUSTED",
        "error.type": "INTERNAL" if word == "bug" else "ALBUM_FULL",
    }
    assert span.events == ()
    assert [each for each in ("secret", "127.0.0.1", "Traceback") if each in span.to_json()] == []


async def test_streams_pass_the_span(stub: EchoStub, spans: InMemorySpanExporter) -> None:
    assert [answer.value async for answer in stub.watch(StringValue(value="a,b"))] == ["a", "b"]
    assert len(spans.get_finished_spans()) == 1


def test_without_a_trace_nothing_is_written_along() -> None:
    carrier: dict[str, str] = {}
    inject_trace(carrier)
    assert carrier == {}
