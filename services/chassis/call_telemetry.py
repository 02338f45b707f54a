"""Telemetry of an RPC: its duration, and a span that goes on with the caller's trace.

The library's interceptor is not used: it writes the peer's address and the traces of exceptions into spans.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from types import TracebackType

from grpc import StatusCode
from opentelemetry import propagate
from opentelemetry.trace import Span, SpanKind, Status, Tracer
from opentelemetry.trace import StatusCode as SpanStatus

from services.chassis.calls import Call, Method
from services.chassis.clock import Clock
from services.chassis.metrics import RPC_DURATION, Attributes, Measurements

_FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
"""Statuses that tell of the server's own trouble (OpenTelemetry's conventions for gRPC servers)."""


class CallTelemetry:
    """Measures a call, and makes its span where there is a tracer."""

    def __init__(
        self, method: Method, call: Call, measurements: Measurements, tracer: Tracer | None, clock: Clock
    ) -> None:
        self._call = call
        self._attributes = _attributes(method.name)
        self._measurements = measurements
        self._clock = clock
        self._started = clock.monotonic()
        self._span: AbstractContextManager[Span | None] = (
            nullcontext() if tracer is None else _span(tracer, method.name, call)
        )

    async def __aenter__(self) -> None:
        self._running = self._span.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        outcome = _outcome(self._call)
        milliseconds = (self._clock.monotonic() - self._started) * 1000
        self._measurements.measure(RPC_DURATION, milliseconds, {**self._attributes, **outcome})
        if self._running is not None:
            _finish(self._running, self._call, outcome)
        self._span.__exit__(None, None, None)


@cache
def _attributes(name: str) -> Attributes:
    service, _, method = name.removeprefix("/").partition("/")
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}


def _no_span() -> AbstractContextManager[Span | None]:
    return nullcontext()


def _span(tracer: Tracer, name: str, call: Call) -> AbstractContextManager[Span | None]:
    return tracer.start_as_current_span(
        name,
        context=propagate.extract(dict(call.metadata)),
        kind=SpanKind.SERVER,
        attributes=_attributes(name),
        record_exception=False,
        set_status_on_exception=False,
    )


def _outcome(call: Call) -> Attributes:
    code: dict[str, str | int] = {"rpc.grpc.status_code": StatusCode[call.code].value[0]}
    return code if call.reason is None else {**code, "error.type": call.reason}


def _finish(span: Span, call: Call, outcome: Attributes) -> None:
    span.set_attributes(outcome)
    if call.code in _FAULTS:
        span.set_status(Status(SpanStatus.ERROR))
