"""Telemetry of an RPC: its duration, and a span that goes on with a service's trace, and is linked to a stranger's.

The library's interceptor is not used: it writes the peer's address and the traces of exceptions into spans.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from types import TracebackType

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, Tracer, get_current_span
from opentelemetry.trace import StatusCode as SpanStatus

from services.chassis.calls import Call, Method
from services.chassis.clock import Clock
from services.chassis.metrics import RPC_DURATION, Attributes, Measurements

_FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
"""Statuses that tell of the server's own trouble (OpenTelemetry's conventions for gRPC servers)."""


class CallTelemetry:
    """Measures a call, and makes its span where there is a tracer."""

    def __init__(
        self,
        method: Method,
        call: Call,
        measurements: Measurements,
        tracer: Tracer | None,
        clock: Clock,
        *,
        goes_on: bool,
    ) -> None:
        """Take the start time.

        Args:
            method: The RPC.
            call: What is known of the call.
            measurements: Takes its duration down.
            tracer: Makes spans; None when traces are off.
            clock: Measures.
            goes_on: Whether the caller's trace goes on here, with its decision that it is kept; a caller that is no
                service could have every call of its own kept.
        """
        self._call = call
        self._attributes = _attributes(method.name)
        self._measurements = measurements
        self._clock = clock
        self._started = clock.monotonic()
        self._span: AbstractContextManager[Span | None] = (
            nullcontext() if tracer is None else _span(tracer, method.name, call, goes_on=goes_on)
        )

    async def __aenter__(self) -> None:
        self._running = self._span.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        outcome = _outcome(self._call)
        seconds = self._clock.monotonic() - self._started
        self._measurements.measure(RPC_DURATION, seconds, {**self._attributes, **outcome})
        if self._running is not None:
            _finish(self._running, self._call, outcome)
        self._span.__exit__(None, None, None)


@cache
def _attributes(name: str) -> Attributes:
    return {"rpc.system.name": "grpc", "rpc.method": name.removeprefix("/")}


def _span(tracer: Tracer, name: str, call: Call, *, goes_on: bool) -> AbstractContextManager[Span | None]:
    sent = propagate.extract(dict(call.metadata))
    seen = get_current_span(sent).get_span_context()
    return tracer.start_as_current_span(
        name.removeprefix("/"),
        context=sent if goes_on else Context(),
        links=[Link(seen)] if seen.is_valid and not goes_on else (),
        kind=SpanKind.SERVER,
        attributes=_attributes(name),
        record_exception=False,
        set_status_on_exception=False,
    )


def _outcome(call: Call) -> Attributes:
    code = {"rpc.response.status_code": call.code}
    return code if call.reason is None else {**code, "error.type": call.reason}


def _finish(span: Span, call: Call, outcome: Attributes) -> None:
    span.set_attributes(outcome)
    if call.code in _FAULTS:
        span.set_status(Status(SpanStatus.ERROR))
