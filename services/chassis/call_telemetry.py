"""Telemetry of an RPC: its duration, and a span that goes on with the caller's trace.

The library's interceptor is not used: it writes the peer's address and the traces of exceptions into spans.
"""

from types import TracebackType

from grpc import StatusCode
from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, Tracer
from opentelemetry.trace import StatusCode as SpanStatus

from services.chassis.calls import Call, Method
from services.chassis.clock import Clock
from services.chassis.metrics import RPC_DURATION, Measurements

_FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
"""Statuses that tell of the server's own trouble (OpenTelemetry's conventions for gRPC servers)."""

NO_TRACER: Tracer = trace.NoOpTracer()
"""Of a process whose traces are off."""


class CallTelemetry:
    """Measures a call, and makes its span where there is a tracer."""

    def __init__(self, method: Method, call: Call, measurements: Measurements, tracer: Tracer, clock: Clock) -> None:
        service, _, name = method.name.removeprefix("/").partition("/")
        self._attributes = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": name}
        self._call = call
        self._measurements = measurements
        self._clock = clock
        self._started = clock.monotonic()
        self._span = tracer.start_as_current_span(
            method.name,
            context=propagate.extract(dict(call.metadata)),
            kind=SpanKind.SERVER,
            attributes=self._attributes,
            record_exception=False,
            set_status_on_exception=False,
        )

    async def __aenter__(self) -> None:
        self._running = self._span.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        outcome = _outcome(self._call)
        milliseconds = (self._clock.monotonic() - self._started) * 1000
        self._measurements.measure(RPC_DURATION, milliseconds, {**self._attributes, **outcome})
        _finish(self._running, self._call, outcome)
        self._span.__exit__(None, None, None)


def _outcome(call: Call) -> dict[str, str | int]:
    code: dict[str, str | int] = {"rpc.grpc.status_code": StatusCode[call.code].value[0]}
    return code if call.reason is None else {**code, "error.type": call.reason}


def _finish(span: Span, call: Call, outcome: dict[str, str | int]) -> None:
    span.set_attributes(outcome)
    if call.code in _FAULTS:
        span.set_status(Status(SpanStatus.ERROR))
