"""Spans: how a trace passes from a call to its event, to the row that waits for a worker, and on.

A span bears ids, states and closed words. What went wrong in it leaves its mark and no more: messages may quote data.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span
from opentelemetry.util.types import AttributeValue

_SCOPE = "services.chassis"
_TRACE = "traceparent"

Attributes = Mapping[str, AttributeValue]


def inject_trace(carrier: MutableMapping[str, str]) -> None:
    """Write the running trace into `carrier` (W3C `traceparent`); nothing when there is none."""
    propagate.inject(carrier)


def kept_trace() -> str:
    """Return the running trace for a row that a worker takes up later; empty if it is not kept, as most are not."""
    if not get_current_span().get_span_context().trace_flags.sampled:
        return ""
    carrier: dict[str, str] = {}
    inject_trace(carrier)
    return carrier.get(_TRACE, "")


@contextmanager
def work_span(name: str, kept: str) -> Iterator[None]:
    """Run the block in a span that goes on with the trace that was kept with its work; in none if none was."""
    if not kept:
        yield
        return
    with _span(name, SpanKind.INTERNAL, {}, propagate.extract({_TRACE: kept})):
        yield


@contextmanager
def consumer_span(
    event_type: str, event_id: str, consumer: str, carrier: MutableMapping[str, str]
) -> Iterator[None]:  # fmt: skip
    """Run the block, which handles an event, in a span that goes on with the trace found in `carrier`."""
    attributes = {**_message("process", event_type, event_id), "messaging.consumer.group.name": consumer}
    with _span(f"process {event_type}", SpanKind.CONSUMER, attributes, propagate.extract(carrier)):
        yield


@contextmanager
def producer_span(event_type: str, event_id: str, carrier: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Run the block, which sends an event, in a span of the trace found in `carrier`; give what is sent along.

    Where no trace is kept, it is what was found.
    """
    found = propagate.extract(carrier)
    if not get_current_span(found).get_span_context().trace_flags.sampled:
        yield carrier
        return
    with _span(f"send {event_type}", SpanKind.PRODUCER, _message("send", event_type, event_id), found):
        sent = dict(carrier)
        inject_trace(sent)
        yield sent


@contextmanager
def _span(name: str, kind: SpanKind, attributes: Attributes, context: Context) -> Iterator[Span]:
    with trace.get_tracer(_SCOPE).start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(StatusCode.ERROR)
            raise


def _message(operation: str, event_type: str, event_id: str) -> Attributes:
    return {
        "messaging.system": "nats",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": event_type,
        "messaging.message.id": event_id,
    }
