"""Metrics of retention: how long it takes until what was destroyed can be opened nowhere."""

from services.chassis.metrics import Metric, MetricKind

DESTRUCTION_DURATION = Metric(
    "pellicule.destruction.duration",
    MetricKind.HISTOGRAM,
    "s",
    "Time from a destruction on a caller's word until every holder of keys has dropped them and the journal has it",
    ("error.type",),
)
