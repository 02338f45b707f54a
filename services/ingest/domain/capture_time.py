"""Capture time: the camera's word, or the phone's where the camera says nothing that can be."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_ZONE_STEP = timedelta(minutes=15)
_LARGEST_OFFSET = timedelta(hours=14)
_SAME_MOMENT = timedelta(seconds=2)


@dataclass(frozen=True)
class CaptureTime:
    """When a picture was taken.

    Attributes:
        time: Aware; None if that is not known.
        utc_offset: Of the wall clock there and then; None if not known.
    """

    time: datetime | None
    utc_offset: timedelta | None = None


def capture_time(camera: datetime | None, announced: datetime | None, *, latest: datetime) -> CaptureTime:
    """Return when a picture was taken.

    Args:
        camera: The camera's word; naive if it does not say which zone its clock showed.
        announced: The phone's word; aware.
        latest: A camera's word from behind this moment is nonsense.
    """
    said = None if camera is None else _of_camera(camera, announced)
    if said is None or said.time is None or said.time > latest:
        return CaptureTime(announced)
    return said


def _of_camera(camera: datetime, announced: datetime | None) -> CaptureTime | None:
    wall_time, offset = camera.replace(tzinfo=UTC), camera.utcoffset()
    if offset is None and announced is not None:
        offset = _offset_between(wall_time, announced)
    try:
        return CaptureTime(wall_time - (offset or timedelta()), offset)
    except OverflowError:
        return None


def _offset_between(wall_time: datetime, announced: datetime) -> timedelta | None:
    """Return the zone that makes both words one, if a zone can.

    None at all counts as not known: a phone that knows no zone announces the wall clock as if it were UTC.
    """
    difference = wall_time - announced
    offset = _ZONE_STEP * round(difference / _ZONE_STEP)
    is_zone = offset and abs(offset) <= _LARGEST_OFFSET and abs(difference - offset) <= _SAME_MOMENT
    return offset if is_zone else None
