"""Metrics of consent: what is decided, by purpose and never by person."""

from services.chassis.metrics import Metric, MetricKind

DECISIONS = Metric(
    "pellicule.consent.decisions",
    MetricKind.COUNTER,
    "{decision}",
    "Decisions by purpose and by what became of it: GIVEN, RENEWED, REFUSED, WITHDRAWN or EXPIRED",
    ("purpose", "type"),
)
