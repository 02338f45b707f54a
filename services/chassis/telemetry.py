"""Traces and measurements: OpenTelemetry over OTLP, and nothing at all where no endpoint is set."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from opentelemetry import metrics, propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from services.chassis.certificates.exporters import RenewedMetricExporter, RenewedSpanExporter
from services.chassis.certificates.files import Authorities
from services.chassis.certificates.renewal import Certificates, Renewed

_TRACER = "services.chassis"


@dataclass(frozen=True)
class Collector:
    """An OTLP collector.

    Attributes:
        endpoint: `host:port`, under TLS when `https://` or `grpcs://` stands before it.
        authorities: Those that it is checked against; None for public ones.
    """

    endpoint: str
    authorities: Renewed[Authorities] | None = None

    @classmethod
    def of(cls, endpoint: str | None, ca_file: Path | None, certificates: Certificates) -> "Collector | None":
        """Return the collector that settings name, if they name one."""
        return cls(endpoint, certificates.authorities(ca_file) if ca_file else None) if endpoint else None

    def span_exporter(self) -> SpanExporter:
        """Return what sends it traces."""
        if self._is_under_tls and self.authorities:
            return RenewedSpanExporter(self._address, self.authorities)
        return OTLPSpanExporter(self._address, insecure=not self._is_under_tls, credentials=self._credentials())

    def metric_exporter(self) -> MetricExporter:
        """Return what sends it measurements."""
        if self._is_under_tls and self.authorities:
            return RenewedMetricExporter(self._address, self.authorities)
        return OTLPMetricExporter(self._address, insecure=not self._is_under_tls, credentials=self._credentials())

    @property
    def _address(self) -> str:
        return self.endpoint.rpartition("/")[2]

    @property
    def _is_under_tls(self) -> bool:
        return self.endpoint.startswith(("https://", "grpcs://"))

    def _credentials(self) -> grpc.ChannelCredentials | None:
        return grpc.ssl_channel_credentials() if self._is_under_tls else None


def configure_telemetry(
    service: str, collector: Collector | None, *, ratio: float, exporter: SpanExporter | None = None
) -> TracerProvider | None:
    """Start the export of traces, if there is somewhere to send them.

    Args:
        service: Name that every span bears.
        collector: Where they go; None turns traces off.
        ratio: Share of new traces that are kept, 0..1; a caller's decision is followed.
        exporter: Takes the place of the OTLP exporter.

    Returns:
        The provider, whose `shutdown` sends what is left; None when traces are off.
    """
    if collector is None:
        return None
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        resource=Resource.create({SERVICE_NAME: service}),
    )
    exporter = exporter or collector.span_exporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


def configure_metrics(service: str, collector: Collector | None) -> MeterProvider | None:
    """Start the export of the process's measurements, if there is somewhere to send them.

    Args:
        service: Name that every measurement bears.
        collector: Where they go; None turns measurements off.

    Returns:
        The provider, whose `shutdown` sends what is left; None when measurements are off.
    """
    if collector is None:
        return None
    provider = meter_provider(service, collector)
    metrics.set_meter_provider(provider)
    return provider


def meter_provider(service: str, collector: Collector) -> MeterProvider:
    """Return what sends measurements to an OTLP collector, once a minute."""
    reader = PeriodicExportingMetricReader(collector.metric_exporter())
    return MeterProvider([reader], resource=Resource.create({SERVICE_NAME: service}))


def inject_trace(carrier: MutableMapping[str, str]) -> None:
    """Write the running trace into `carrier` (W3C `traceparent`); nothing when there is none."""
    propagate.inject(carrier)


@contextmanager
def consumer_span(name: str, carrier: MutableMapping[str, str]) -> Iterator[None]:
    """Run the block in a span that goes on with the trace found in `carrier`.

    An exception leaves its mark in the span and no more: its message may quote data.
    """
    with trace.get_tracer(_TRACER).start_as_current_span(
        name,
        context=propagate.extract(carrier),
        kind=trace.SpanKind.CONSUMER,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Exception:
            span.set_status(trace.StatusCode.ERROR)
            raise
