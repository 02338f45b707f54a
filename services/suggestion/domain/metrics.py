"""Metrics of suggestion: what is offered, what owners make of it, and how long they wait for it."""

from services.chassis.metrics import Metric, MetricKind

MADE = Metric("pellicule.suggestions.made", MetricKind.COUNTER, "{suggestion}", "Suggestions made, by kind", ("kind",))
DECIDED = Metric(
    "pellicule.suggestions.decided",
    MetricKind.COUNTER,
    "{decision}",
    "Decisions of owners, by kind of suggestion and decision: save, dismiss or restore",
    ("kind", "decision"),
)
DELAY = Metric(
    "pellicule.suggestions.delay",
    MetricKind.HISTOGRAM,
    "s",
    "Time from the upload of the photo that waited longest until there are new suggestions",
)
