"""Capture time in the contract: what says it, how exactly, and the offset of its clock."""

from datetime import timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration

from pellicule.ingest.v1 import media_pb2
from services.chassis.fields import Fields
from services.picture_files.capture_time import Source
from services.picture_files.timestamps import Precision

_SOURCE: Final = "CAPTURE_TIME_SOURCE_"
_PRECISION: Final = "CAPTURE_TIME_PRECISION_"
_LARGEST_OFFSET_SECONDS: Final = 15 * 3600


def source(value: int) -> Source | None:
    """Return what a number names; None for no word, and for one that a later release knows."""
    known = media_pb2.CaptureTimeSource.DESCRIPTOR.values_by_number.get(value)
    return Source(known.name.removeprefix(_SOURCE)) if known is not None and known.number else None


def precision(value: int) -> Precision | None:
    """Return what a number names; None for no word, and for one that a later release knows."""
    known = media_pb2.CaptureTimePrecision.DESCRIPTOR.values_by_number.get(value)
    return Precision(known.name.removeprefix(_PRECISION)) if known is not None and known.number else None


def source_number(value: Source | None) -> media_pb2.CaptureTimeSource.ValueType:
    """Return the number of a source."""
    return media_pb2.CaptureTimeSource.Value(f"{_SOURCE}{value or 'UNSPECIFIED'}")


def precision_number(value: Precision | None) -> media_pb2.CaptureTimePrecision.ValueType:
    """Return the number of a precision."""
    return media_pb2.CaptureTimePrecision.Value(f"{_PRECISION}{value or 'UNSPECIFIED'}")


def announced_source(message: media_pb2.AssetSummary, fields: Fields) -> Source | None:
    """Return what a phone says the time of capture is from."""
    value = message.capture_time_source
    return fields.enum(value, "capture_time_source", media_pb2.CaptureTimeSource.DESCRIPTOR, Source) if value else None


def announced_precision(message: media_pb2.AssetSummary, fields: Fields) -> Precision | None:
    """Return how exactly a phone says that it knows the time of capture."""
    value, of = message.capture_time_precision, media_pb2.CaptureTimePrecision.DESCRIPTOR
    return fields.enum(value, "capture_time_precision", of, Precision) if value else None


def announced_offset(message: media_pb2.AssetSummary, fields: Fields) -> timedelta | None:
    """Return the offset that a phone announces; one that no clock on Earth has is refused."""
    if not message.HasField("capture_utc_offset"):
        return None
    offset: Duration = message.capture_utc_offset
    if abs(offset.seconds) >= _LARGEST_OFFSET_SECONDS or offset.seconds % 60 or offset.nanos:
        fields.refuse("capture_utc_offset", "send the offset from UTC, whole minutes, less than 15 hours, or none")
        return None
    return timedelta(seconds=offset.seconds)
