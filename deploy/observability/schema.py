"""Schema of what is measured: every metric as the code declares it, and its name where Prometheus keeps it.

A metric is any `Metric` of a module of the services, and any instrument of the inference client.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from opentelemetry.metrics import CallbackT, Counter, Histogram, NoOpMeter, ObservableGauge

import services
from inference.client.metrics import Metrics as InferenceMetrics
from services.chassis.metrics import Metric, MetricKind

_UNITS = {"s": "seconds", "ms": "milliseconds", "By": "bytes", "1": "ratio"}
"""Units by the word that Prometheus' translation of OTLP appends; one in braces is only a remark, and none."""
TRITON = frozenset(
    {
        "nv_inference_request_success",
        "nv_inference_request_failure",
        "nv_inference_queue_duration_us",
        "nv_inference_compute_infer_duration_us",
    }
)
"""Series of the models' server itself that dashboards and scalers ask for; by `model`."""
_HISTOGRAM = ("_bucket", "_sum", "_count")
_UNFIT = re.compile(r"[^a-zA-Z0-9_:]+")


@cache
def metrics() -> Mapping[str, Metric]:
    """Return every metric that is declared, by name, in the order of the names."""
    found = {metric.name: metric for metric in (*_of_services(), *_of_inference())}
    return {name: found[name] for name in sorted(found)}


def prometheus_name(metric: Metric) -> str:
    """Return what Prometheus calls a metric, without what a histogram's parts add."""
    words = [_UNFIT.sub("_", metric.name)]
    unit = _UNITS.get(metric.unit, "")
    if unit and not (unit == "ratio" and metric.kind is not MetricKind.GAUGE) and not words[0].endswith(f"_{unit}"):
        words.append(unit)
    if metric.kind is MetricKind.COUNTER:
        words.append("total")
    return "_".join(words)


def series(metric: Metric) -> Sequence[str]:
    """Return the names of the series that a metric has in Prometheus."""
    name = prometheus_name(metric)
    return [f"{name}{part}" for part in _HISTOGRAM] if metric.kind is MetricKind.HISTOGRAM else [name]


def labels(metric: Metric) -> frozenset[str]:
    """Return what a metric's series may be told apart by in Prometheus: its attributes, and whose they are."""
    own = {_UNFIT.sub("_", attribute) for attribute in metric.attributes}
    return frozenset({*own, "job", "instance", *(["le"] if metric.kind is MetricKind.HISTOGRAM else [])})


def _of_services() -> Iterator[Metric]:
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if not module.name.endswith("__main__"):
            values = vars(importlib.import_module(module.name)).values()
            yield from (value for value in values if isinstance(value, Metric))


def _of_inference() -> Sequence[Metric]:
    meter = _Recorder()
    InferenceMetrics((), meter)
    return meter.made


class _Recorder(NoOpMeter):
    """A meter that takes down which instruments are made."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.made: list[Metric] = []

    def create_counter(self, name: str, unit: str = "", description: str = "") -> Counter:
        self._take(MetricKind.COUNTER, name, unit, description)
        return super().create_counter(name, unit, description)

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> Histogram:
        self._take(MetricKind.HISTOGRAM, name, unit, description)
        return super().create_histogram(name, unit, description)

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> ObservableGauge:
        self._take(MetricKind.GAUGE, name, unit, description)
        return super().create_observable_gauge(name, callbacks, unit, description)

    def _take(self, kind: MetricKind, name: str, unit: str, description: str) -> None:
        by = ("model", "outcome") if kind is MetricKind.COUNTER and name.endswith(".calls") else ("model",)
        self.made.append(Metric(name, kind, unit, description, by))
