"""Metrics: each is declared once as a `Metric`, here or in a service's store; `docs/operations.md` lists them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol, TypeAlias

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Meter, Observation

Attributes: TypeAlias = Mapping[str, str | int]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Bounds of the buckets of durations: from a call to work that waits for its turn."""

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
        attributes: Names of what it is told apart by; each has few values, known beforehand.
        buckets: Upper bounds of a histogram's buckets, in its unit; those of SECONDS if none are given.
    """

    name: str
    kind: MetricKind
    unit: str
    description: str
    attributes: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS


RPC_DURATION = Metric(
    "rpc.server.call.duration",
    MetricKind.HISTOGRAM,
    "s",
    "Duration of each RPC; its count is the rate, and with a status or an error type the rate of failures",
    ("rpc.system.name", "rpc.method", "rpc.response.status_code", "error.type"),
)
RPC_HELD = Metric("pellicule.rpc.held", MetricKind.GAUGE, "{call}", "Calls and streams of persons that are in work")
RPC_LIMIT = Metric("pellicule.rpc.limit", MetricKind.GAUGE, "{call}", "Calls and streams of persons that may be")
EVENT_DURATION = Metric(
    "messaging.process.duration",
    MetricKind.HISTOGRAM,
    "s",
    "Duration of the handling of an event, with the reason of a failure as its error type",
    (
        "messaging.system",
        "messaging.operation.name",
        "messaging.destination.name",
        "messaging.consumer.group.name",
        "error.type",
    ),
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
    "s",
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
POOL_CONNECTIONS = Metric(
    "db.client.connection.count",
    MetricKind.GAUGE,
    "{connection}",
    "Connections to the database by state: used or idle",
    ("db.client.connection.pool.name", "db.client.connection.state"),
)
POOL_MAX = Metric(
    "db.client.connection.max",
    MetricKind.GAUGE,
    "{connection}",
    "Connections to the database that there may be",
    ("db.client.connection.pool.name",),
)
POOL_PENDING = Metric(
    "db.client.connection.pending_requests",
    MetricKind.GAUGE,
    "{request}",
    "Tasks that wait for a connection to the database",
    ("db.client.connection.pool.name",),
)
OBJECTS_DURATION = Metric(
    "pellicule.object_store.duration",
    MetricKind.HISTOGRAM,
    "s",
    "Duration of what is asked of the object store, the wait for a thread included",
    ("operation", "error.type"),
)
OBJECTS_PENDING = Metric(
    "pellicule.object_store.pending",
    MetricKind.GAUGE,
    "{request}",
    "Requests to the object store that wait for a thread",
)
EVENT_LOOP_DELAY = Metric(
    "pellicule.event_loop.delay",
    MetricKind.HISTOGRAM,
    "s",
    "By how much the event loop is late with what is due, looked at each second",
)
MEMORY = Metric("process.memory.usage", MetricKind.GAUGE, "By", "Physical memory of the process")
CPU_TIME = Metric(
    "process.cpu.time",
    MetricKind.COUNTER,
    "s",
    "Time of the processor that the process has used",
    ("cpu.mode",),
)
WORK_DUE = Metric(
    "pellicule.work.due",
    MetricKind.GAUGE,
    "{item}",
    "Items of work whose time has come, or that are in hand",
    ("kind",),
)
WORK_AGE = Metric("pellicule.work.age", MetricKind.GAUGE, "s", "Time since the oldest of them was due", ("kind",))
LEASE_HELD = Metric(
    "pellicule.lease.held",
    MetricKind.GAUGE,
    "{lease}",
    "Whether the process does what one process does at a time: 1 or 0; over all processes it is 1",
    ("lease",),
)
BACKSTOP_HITS = Metric(
    "pellicule.backstop.hits",
    MetricKind.COUNTER,
    "{object}",
    "Objects met that the bucket's lifecycle rule takes within a day: what should have deleted them did not",
    ("bucket",),
)


class _Instrument(Protocol):
    def __call__(self, value: float, attributes: Attributes) -> None: ...


class _Level:
    """Values of a gauge, which stand until others take their place or they are forgotten."""

    def __init__(self) -> None:
        self._values: dict[frozenset[tuple[str, str | int]], Observation] = {}

    def __call__(self, value: float, attributes: Attributes) -> None:
        self._values[frozenset(attributes.items())] = Observation(value, attributes)

    def forget(self, attributes: Attributes) -> None:
        self._values.pop(frozenset(attributes.items()), None)

    def observe(self, _options: CallbackOptions) -> Sequence[Observation]:
        return list(self._values.values())


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

    def forget(self, metric: Metric, attributes: Attributes | None = None) -> None:
        """Forget the value of a gauge: it is not known any more, and none is sent."""
        level = self._instruments.get(metric.name)
        if isinstance(level, _Level):
            level.forget(attributes or {})


def _instrument(meter: Meter, metric: Metric) -> _Instrument:
    described = (metric.name, metric.unit, metric.description)
    match metric.kind:
        case MetricKind.COUNTER:
            return partial(meter.create_counter(*described).add)
        case MetricKind.HISTOGRAM:
            bounds = list(metric.buckets)
            return partial(meter.create_histogram(*described, explicit_bucket_boundaries_advisory=bounds).record)
        case MetricKind.GAUGE:
            level = _Level()
            meter.create_observable_gauge(metric.name, [level.observe], metric.unit, metric.description)
            return level
