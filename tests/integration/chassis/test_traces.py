"""One trace from a call to its event, over the bus, into a row that a worker takes up later."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode

from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.messaging.bus import Bus
from services.chassis.messaging.consumer import Consumer, IncomingEvent
from services.chassis.messaging.outbox import append
from services.chassis.messaging.relay import OutboxRelay
from services.chassis.supervision import supervised
from services.chassis.telemetry.spans import kept_trace, work_span
from tests.integration.chassis.test_messaging import STORED, STREAM, Inbound, bus, durable, emit, event, nats
from tests.integration.eventually import eventually

__all__ = ["bus", "nats"]


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(params=[1])
def tracers(request: pytest.FixtureRequest, spans: InMemorySpanExporter) -> Iterator[TracerProvider]:
    provider = TracerProvider(ParentBased(TraceIdRatioBased(request.param)), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "get_tracer", provider.get_tracer)
        yield provider


def parents(spans: InMemorySpanExporter) -> list[tuple[str, str]]:
    """Return each span's name and that of the span it goes on with."""
    finished = spans.get_finished_spans()
    names = {span.context.span_id: span.name for span in finished if span.context}
    return [(span.name, names.get(span.parent.span_id, "") if span.parent else "") for span in finished]


def found(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = (each for each in spans.get_finished_spans() if each.name == name)
    return span


async def test_a_trace_goes_from_the_call_over_the_bus_into_the_work(
    pool: Pool, bus: Bus, spans: InMemorySpanExporter, tracers: TracerProvider
) -> None:
    kept: list[str] = []

    async def hear(_: IncomingEvent) -> None:
        kept.append(kept_trace())

    consumer = Consumer(bus, stream="INGEST", durable=durable(), types=[STORED], handle=hear)
    async with supervised([consumer.run, OutboxRelay(pool, bus, SystemClock(), STREAM).run]):
        with trace.get_tracer("test").start_as_current_span("UploadMedia"):
            await emit(pool, event())
        await eventually(lambda: _is_there(spans, f"process {STORED}"))
    with work_span("analyze media", kept[0]):
        later = kept_trace()
    async with pool.connection() as connection:
        await append(connection, event(), later)
    assert set(parents(spans)) >= {
        ("UploadMedia", ""),
        (f"send {STORED}", "UploadMedia"),
        (f"process {STORED}", f"send {STORED}"),
        ("analyze media", f"process {STORED}"),
    }
    assert len({span.context.trace_id for span in spans.get_finished_spans() if span.context}) == 1


async def test_a_span_of_an_event_is_named_by_the_conventions(
    pool: Pool, bus: Bus, spans: InMemorySpanExporter, tracers: TracerProvider
) -> None:
    inbound, sent, name = Inbound(), event(), durable()
    consumer = Consumer(bus, stream="INGEST", durable=name, types=[STORED], handle=inbound)
    async with supervised([consumer.run, OutboxRelay(pool, bus, SystemClock(), STREAM).run]):
        with trace.get_tracer("test").start_as_current_span("UploadMedia"):
            await emit(pool, sent)
        await eventually(lambda: _is_there(spans, f"process {STORED}"))
    sending, processing = found(spans, f"send {STORED}"), found(spans, f"process {STORED}")
    assert (sending.kind, processing.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert processing.attributes == {
        "messaging.system": "nats",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": STORED,
        "messaging.message.id": str(sent.id),
        "messaging.consumer.group.name": name,
    }


async def test_what_goes_wrong_with_an_event_leaves_its_type_and_no_words(
    pool: Pool, bus: Bus, spans: InMemorySpanExporter, tracers: TracerProvider
) -> None:
    consumer = Consumer(bus, stream="INGEST", durable=durable(), types=[STORED], handle=Inbound(ValueError("secret")))
    async with supervised([consumer.run, OutboxRelay(pool, bus, SystemClock(), STREAM).run]):
        await emit(pool, event())
        await eventually(lambda: _is_there(spans, f"process {STORED}"))
    span = next(each for each in spans.get_finished_spans() if each.name == f"process {STORED}")
    assert (span.status.status_code, (span.attributes or {})["error.type"]) == (StatusCode.ERROR, "ValueError")
    assert span.events == ()
    assert "secret" not in span.to_json()


@pytest.mark.parametrize("tracers", [0], indirect=True)
async def test_of_a_trace_that_is_not_kept_nothing_is_written_into_rows(
    spans: InMemorySpanExporter, tracers: TracerProvider
) -> None:
    with trace.get_tracer("test").start_as_current_span("UploadMedia"):
        kept = kept_trace()
    with work_span("analyze media", kept):
        pass
    assert (kept, spans.get_finished_spans()) == ("", ())


async def _is_there(spans: InMemorySpanExporter, name: str) -> bool:
    return name in {span.name for span in spans.get_finished_spans()}
