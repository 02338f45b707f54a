"""Providers of a process: what makes spans, measurements and log records, and sends them until it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Self

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from services.chassis.telemetry.collector import Collector

NAMESPACE = "pellicule"
"""What all services are of, as collectors see it."""


@dataclass(frozen=True)
class Telemetry:
    """What a process tells about itself.

    Attributes:
        tracers: Make spans.
        meters: Make instruments; what these measure is sent once a minute.
        loggers: Take log lines.
    """

    tracers: TracerProvider
    meters: MeterProvider
    loggers: LoggerProvider

    @classmethod
    def of(cls, service: str, collector: Collector, *, ratio: float) -> Self:
        """Return what sends everything to a collector.

        Args:
            service: Whose it is.
            collector: Where it goes.
            ratio: Share of new traces that are kept, 0..1; a caller's decision is followed.
        """
        resource = described(service)
        tracers = TracerProvider(ParentBased(TraceIdRatioBased(ratio)), resource, shutdown_on_exit=False)
        tracers.add_span_processor(BatchSpanProcessor(collector.span_exporter()))
        loggers = LoggerProvider(resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(BatchLogRecordProcessor(collector.log_exporter()))
        reader = PeriodicExportingMetricReader(collector.metric_exporter())
        return cls(tracers, MeterProvider([reader], resource, shutdown_on_exit=False), loggers)

    def install(self) -> None:
        """Make it the process's own."""
        trace.set_tracer_provider(self.tracers)
        metrics.set_meter_provider(self.meters)
        set_logger_provider(self.loggers)

    async def close(self) -> None:
        """Send what is left; a collector that does not answer holds all three up together, and not for long."""
        closing = (self.tracers.shutdown, self.meters.shutdown, self.loggers.shutdown)
        await asyncio.gather(*map(asyncio.to_thread, closing))


@asynccontextmanager
async def telemetry(service: str, collector: Collector | None, *, ratio: float) -> AsyncIterator[Telemetry | None]:
    """Tell a collector about the process for the time of the block; without one nothing is measured and nothing costs.

    Arguments are those of `Telemetry.of`.
    """
    if collector is None:
        yield None
        return
    made = Telemetry.of(service, collector, ratio=ratio)
    made.install()
    try:
        yield made
    finally:
        await made.close()


def described(service: str) -> Resource:
    """Return what each span, measurement and log record bears of its process; an id of its own is among it.

    What `OTEL_RESOURCE_ATTRIBUTES` says is added, such as the pod that a cluster runs it in.
    """
    return Resource.create({SERVICE_NAME: service, SERVICE_NAMESPACE: NAMESPACE, **_version()})


def _version() -> dict[str, str]:
    try:
        return {SERVICE_VERSION: version("pellicule")}
    except PackageNotFoundError:
        return {}
