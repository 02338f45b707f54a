"""Metrics: each is declared once as a `Metric`, here or in a service's store; `docs/operations.md` lists them all."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol, TypeAlias

from opentelemetry import metrics
from opentelemetry.metrics import Meter

Attributes: TypeAlias = Mapping[str, str | int]

_SCOPE = "services.chassis"


class MetricKind(StrEnum):
    """How values become one."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True)
class Metric:
    """What is measured; never by person.

    Attributes:
        name: As a collector sees it.
        kind: How its values become one.
        unit: UCUM, such as `ms`, `By` or `{event}`.
        description: What it tells.
        attributes: Names of what it is told apart by.
    """

    name: str
    kind: MetricKind
    unit: str
    description: str
    attributes: tuple[str, ...] = ()


RPC_DURATION = Metric(
    "rpc.server.duration",
    MetricKind.HISTOGRAM,
    "ms",
    "Duration of each RPC; its count is the rate, and with a status or an error type the rate of failures",
    ("rpc.system", "rpc.service", "rpc.method", "rpc.grpc.status_code", "error.type"),
)
EVENTS = Metric(
    "pellicule.consumer.events",
    MetricKind.COUNTER,
    "{event}",
    "Deliveries by outcome: handled, retried or dead_lettered",
    ("consumer", "outcome"),
)
EVENT_DELAY = Metric(
    "pellicule.consumer.delay",
    MetricKind.HISTOGRAM,
    "ms",
    "Time from the commit that made an event until it was handled",
    ("consumer",),
)
CONSUMER_PENDING = Metric(
    "pellicule.consumer.pending",
    MetricKind.GAUGE,
    "{event}",
    "Events on the bus that a consumer has not handled",
    ("consumer",),
)
OUTBOX_PENDING = Metric(
    "pellicule.outbox.pending", MetricKind.GAUGE, "{event}", "Events that are decided and not on the bus"
)
OUTBOX_AGE = Metric("pellicule.outbox.age", MetricKind.GAUGE, "s", "Age of the oldest event that is not on the bus")
DEAD_LETTERS = Metric(
    "pellicule.dead_letters",
    MetricKind.GAUGE,
    "{event}",
    "Events that were given up and wait for an operator",
    ("consumer",),
)
LOOP_FAILURES = Metric(
    "pellicule.loop.failures",
    MetricKind.COUNTER,
    "{failure}",
    "Failures in loops by outcome: outage (a server does not answer), item (one was set aside) or fault (of the loop)",
    ("loop", "outcome"),
)
SET_ASIDE = Metric(
    "pellicule.set_aside",
    MetricKind.GAUGE,
    "{item}",
    "Items of loops that failed and are tried again with growing pauses",
    ("kind",),
)
CERTIFICATE_EXPIRES = Metric(
    "pellicule.certificate.expires",
    MetricKind.GAUGE,
    "s",
    "Time left of a certificate in use: own, that of the process, or authority, the last of those whom it trusts",
    ("certificate",),
)
DISK_FREE = Metric("pellicule.disk.free", MetricKind.GAUGE, "By", "Free space where PELLICULE_WATCHED_DISK lies")


class _Instrument(Protocol):
    def __call__(self, value: float, attributes: Attributes) -> None: ...


class Measurements:
    """Takes values down; they go where the process's meter provider sends them, and nowhere without one."""

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter or metrics.get_meter(_SCOPE)
        self._instruments: dict[str, _Instrument] = {}

    def measure(self, metric: Metric, value: float, attributes: Attributes | None = None) -> None:
        """Take a value down."""
        instrument = self._instruments.get(metric.name)
        if instrument is None:
            instrument = self._instruments[metric.name] = _instrument(self._meter, metric)
        instrument(value, attributes or {})


def _instrument(meter: Meter, metric: Metric) -> _Instrument:
    described = (metric.name, metric.unit, metric.description)
    match metric.kind:
        case MetricKind.COUNTER:
            return partial(meter.create_counter(*described).add)
        case MetricKind.HISTOGRAM:
            return partial(meter.create_histogram(*described).record)
        case MetricKind.GAUGE:
            return partial(meter.create_gauge(*described).set)
