"""Table of metrics in `docs/operations.md`, made from the code: run as `python -m deploy.metrics` to write it anew.

A metric is any `Metric` of a module of the services, and any instrument of the inference client.
"""

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from opentelemetry.metrics import CallbackT, Counter, Histogram, NoOpMeter, ObservableGauge

import services
from inference.client.metrics import Metrics as InferenceMetrics
from services.chassis.metrics import Metric, MetricKind

DOCUMENT = Path("docs", "operations.md")
_TABLE = re.compile(r"(?<=<!-- metrics: written by python -m deploy.metrics -->\n).*?(?=<!-- end of metrics -->)", re.S)
_HEAD = ("| Name | Kind | Unit | By | What |", "|---|---|---|---|---|")


def with_table(text: str) -> str:
    """Return the document's text with the table as the code has it."""
    rows = "".join(f"{row}\n" for row in (*_HEAD, *map(_row, _metrics())))
    return _TABLE.sub(lambda _: rows, text)


def _metrics() -> Sequence[Metric]:
    found = {metric.name: metric for metric in (*_of_services(), *_of_inference())}
    return [found[name] for name in sorted(found)]


def _row(metric: Metric) -> str:
    by = ", ".join(f"`{each}`" for each in metric.attributes)
    return f"| `{metric.name}` | {metric.kind} | `{metric.unit}` | {by} | {metric.description} |"


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


def main() -> int:
    """Write the table."""
    document = Path(__file__).parents[1] / DOCUMENT
    document.write_text(with_table(document.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
