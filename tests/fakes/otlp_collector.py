"""OTLP collector that keeps what it is sent: real services of the protocol on a real port, and nothing behind them."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric


@dataclass(frozen=True)
class Told:
    """A span, a measurement or a log line, with the service that sent it.

    Attributes:
        resource: What the process says of itself.
        name: Of the span or the metric; body of the line.
        attributes: What it is told with; of a measurement those of one point.
        trace: Trace id in hex; empty for none.
        span: Span id in hex; empty for none.
        parent: Span id of what it goes on with, in hex; empty for none.
        links: Trace ids in hex.
        metric: The whole metric of a measurement.
    """

    resource: Mapping[str, Any]
    name: str
    attributes: Mapping[str, Any]
    trace: str = ""
    span: str = ""
    parent: str = ""
    links: Sequence[str] = ()
    metric: Metric | None = None

    @property
    def service(self) -> str:
        return str(self.resource["service.name"])


@dataclass
class OtlpCollector(
    trace_service_pb2_grpc.TraceServiceServicer,
    metrics_service_pb2_grpc.MetricsServiceServicer,
    logs_service_pb2_grpc.LogsServiceServicer,
):
    """What was sent, as it came, and read."""

    spans_sent: bytes = b""
    measurements_sent: bytes = b""
    lines_sent: bytes = b""
    spans: list[Told] = field(default_factory=list)
    measurements: list[Told] = field(default_factory=list)
    lines: list[Told] = field(default_factory=list)

    def Export(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        match request:
            case trace_service_pb2.ExportTraceServiceRequest():
                self.spans_sent += request.SerializeToString()
                self.spans += _spans(request)
                return trace_service_pb2.ExportTraceServiceResponse()
            case metrics_service_pb2.ExportMetricsServiceRequest():
                self.measurements_sent += request.SerializeToString()
                self.measurements += _measurements(request)
                return metrics_service_pb2.ExportMetricsServiceResponse()
            case logs_service_pb2.ExportLogsServiceRequest():
                self.lines_sent += request.SerializeToString()
                self.lines += _lines(request)
                return logs_service_pb2.ExportLogsServiceResponse()
        raise TypeError(type(request).__name__)

    def register(self, server: grpc.Server) -> None:
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        logs_service_pb2_grpc.add_LogsServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]


@contextmanager
def collecting(credentials: grpc.ServerCredentials | None = None) -> Iterator[tuple[OtlpCollector, str]]:
    """Run a collector for the time of the block, and give its `host:port`."""
    collector, server = OtlpCollector(), grpc.server(ThreadPoolExecutor(4))
    collector.register(server)
    address = "127.0.0.1:0"
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    server.start()
    try:
        yield collector, f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()


def _spans(request: trace_service_pb2.ExportTraceServiceRequest) -> Iterator[Told]:
    for sent in request.resource_spans:
        for scope in sent.scope_spans:
            for span in scope.spans:
                yield Told(
                    _plain(sent.resource.attributes),
                    span.name,
                    _plain(span.attributes),
                    trace=span.trace_id.hex(),
                    span=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    links=[link.trace_id.hex() for link in span.links],
                )


def _measurements(request: metrics_service_pb2.ExportMetricsServiceRequest) -> Iterator[Told]:
    for sent in request.resource_metrics:
        for scope in sent.scope_metrics:
            for metric in scope.metrics:
                for point in getattr(metric, str(metric.WhichOneof("data"))).data_points:
                    yield Told(
                        _plain(sent.resource.attributes), metric.name, _plain(point.attributes), metric=metric
                    )  # fmt: skip


def _lines(request: logs_service_pb2.ExportLogsServiceRequest) -> Iterator[Told]:
    for sent in request.resource_logs:
        for scope in sent.scope_logs:
            for line in scope.log_records:
                yield Told(
                    _plain(sent.resource.attributes),
                    line.body.string_value,
                    _plain(line.attributes),
                    trace=line.trace_id.hex(),
                    span=line.span_id.hex(),
                )


def _plain(attributes: Any) -> Mapping[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(each) for each in value.array_value.values] if kind == "array_value" else getattr(value, kind)
