"""OTLP collector: where it is, and what sends it traces, measurements and log lines."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter

from services.chassis.certificates.exporters import (
    PATIENCE_SECONDS,
    RenewedLogExporter,
    RenewedMetricExporter,
    RenewedSpanExporter,
)
from services.chassis.certificates.files import Authorities
from services.chassis.certificates.renewal import Certificates, Renewed

_UNDER_TLS = ("https://", "grpcs://")


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
        renewed = self._renewed
        return RenewedSpanExporter(self._address, renewed) if renewed else OTLPSpanExporter(**self._way())

    def metric_exporter(self) -> MetricExporter:
        """Return what sends it measurements."""
        renewed = self._renewed
        return RenewedMetricExporter(self._address, renewed) if renewed else OTLPMetricExporter(**self._way())

    def log_exporter(self) -> LogRecordExporter:
        """Return what sends it log lines."""
        renewed = self._renewed
        return RenewedLogExporter(self._address, renewed) if renewed else OTLPLogExporter(**self._way())

    @property
    def _address(self) -> str:
        return self.endpoint.rpartition("/")[2]

    @property
    def _is_under_tls(self) -> bool:
        return self.endpoint.startswith(_UNDER_TLS)

    @property
    def _renewed(self) -> Renewed[Authorities] | None:
        return self.authorities if self._is_under_tls else None

    def _way(self) -> dict[str, Any]:
        return {
            "endpoint": self._address,
            "insecure": not self._is_under_tls,
            "credentials": grpc.ssl_channel_credentials() if self._is_under_tls else None,
            "timeout": PATIENCE_SECONDS,
        }
