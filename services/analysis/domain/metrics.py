"""Metrics of analysis: what comes of attempts, and how long owners wait for it."""

from services.chassis.metrics import Metric, MetricKind

OUTCOMES = Metric(
    "pellicule.analysis.outcomes",
    MetricKind.COUNTER,
    "{media}",
    "Attempts at media by outcome: DONE, the reason of a PARKED one, RETRY, DEFERRED (what is found serves on) or GONE",
    ("outcome",),
)
DELAY = Metric(
    "pellicule.analysis.delay",
    MetricKind.HISTOGRAM,
    "s",
    "Time from the upload of a media until its first findings are stored",
)
