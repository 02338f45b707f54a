"""Metrics of ingest: what comes in, and how long its sender waits for the answer."""

from services.chassis.metrics import Metric, MetricKind

MEDIA_STORED = Metric(
    "pellicule.media.stored",
    MetricKind.COUNTER,
    "{media}",
    "Media taken in, by purpose and form: reduced or original",
    ("purpose", "form"),
)
MEDIA_BYTES = Metric(
    "pellicule.media.stored.size", MetricKind.COUNTER, "By", "Bytes of media taken in", ("purpose", "form")
)
UPLOAD_DURATION = Metric(
    "pellicule.upload.commit.duration",
    MetricKind.HISTOGRAM,
    "s",
    "Time from the last byte of an upload until it is stored, or known to be kept already",
)
