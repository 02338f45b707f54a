"""Spans of requests to the server: each goes on with the trace that asks, and the server with the request's.

OpenTelemetry's API alone is used; what is not traced costs nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

METHOD: Final = "inference.GRPCInferenceService/ModelInfer"


@contextmanager
def request_span(model: str) -> Iterator[Mapping[str, str]]:
    """Run the block, which sends a request, in a span if its trace is kept; give the headers to send along."""
    if not get_current_span().get_span_context().trace_flags.sampled:
        yield {}
        return
    attributes = {"rpc.system.name": "grpc", "rpc.method": METHOD, "pellicule.model": model}
    with trace.get_tracer("inference.client").start_as_current_span(
        METHOD, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        headers: dict[str, str] = {}
        propagate.inject(headers)
        try:
            yield headers
        except Exception as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(StatusCode.ERROR)
            raise
