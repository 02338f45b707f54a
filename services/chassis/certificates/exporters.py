"""Exporters of telemetry of which another takes the place when the collector's authorities are renewed."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import grpc
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from services.chassis.certificates.files import Authorities
from services.chassis.certificates.renewal import Renewed

PATIENCE_SECONDS = 5.0
"""What a collector does not take within this time is dropped: a process that ends waits for it."""

ExporterT = TypeVar("ExporterT", OTLPLogExporter, OTLPMetricExporter, OTLPSpanExporter)


class _Newest(Generic[ExporterT]):
    """The exporter under the newest authorities; asked on the one thread that exports."""

    def __init__(self, make: Callable[[grpc.ChannelCredentials], ExporterT], authorities: Renewed[Authorities]) -> None:
        self._make: Callable[[grpc.ChannelCredentials], ExporterT] = make
        self._authorities = authorities
        self._open()

    def __call__(self) -> ExporterT:
        if self._authorities.current is not self._under:
            self.exporter.shutdown()
            self._open()
        return self.exporter

    def _open(self) -> None:
        self._under = self._authorities.current
        self.exporter: ExporterT = self._make(grpc.ssl_channel_credentials(self._under.pem))


class RenewedSpanExporter(SpanExporter):
    """Sends spans."""

    def __init__(self, address: str, authorities: Renewed[Authorities]) -> None:
        self._newest = _Newest(
            lambda credentials: OTLPSpanExporter(address, False, credentials, timeout=PATIENCE_SECONDS), authorities
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        return self._newest().export(spans)

    def shutdown(self) -> None:
        """Send no more."""
        self._newest.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is kept here."""
        return True


class RenewedLogExporter(LogRecordExporter):
    """Sends log lines."""

    def __init__(self, address: str, authorities: Renewed[Authorities]) -> None:
        self._newest = _Newest(
            lambda credentials: OTLPLogExporter(address, False, credentials, timeout=PATIENCE_SECONDS), authorities
        )

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Send a batch."""
        return self._newest().export(batch)

    def shutdown(self) -> None:
        """Send no more."""
        self._newest.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        """Nothing is kept here."""
        return True


class RenewedMetricExporter(MetricExporter):
    """Sends measurements."""

    def __init__(self, address: str, authorities: Renewed[Authorities]) -> None:
        super().__init__()
        self._newest = _Newest(
            lambda credentials: OTLPMetricExporter(address, False, credentials, timeout=PATIENCE_SECONDS), authorities
        )

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **options: object
    ) -> MetricExportResult:
        """Send a batch."""
        return self._newest().export(metrics_data, timeout_millis)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is kept here."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **options: object) -> None:
        """Send no more."""
        self._newest.exporter.shutdown(timeout_millis)
