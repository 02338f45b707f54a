"""When a picture was taken: the camera's word, or the phone's where the camera says nothing that can be."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.ingest.exif import Moment

_ZONE_STEP = timedelta(minutes=15)
_LARGEST_OFFSET = timedelta(hours=14)
_SAME_MOMENT = timedelta(seconds=2)


@dataclass(frozen=True)
class CaptureTime:
    """When a picture was taken.

    Attributes:
        time: Aware; None if nobody knows.
        utc_offset: Of the wall clock there and then; None if not known.
    """

    time: datetime | None
    utc_offset: timedelta | None = None


@dataclass(frozen=True)
class Window:
    """The rolling window: what was taken since `start` belongs to it.

    Attributes:
        start: The window's first moment, less what clocks and time zones may differ by.
        latest: From here on a capture time is nonsense: a clock that was set wrong.
    """

    start: datetime
    latest: datetime

    @classmethod
    def at(cls, now: datetime, length: timedelta, tolerance: timedelta) -> "Window":
        """Returns the window at a moment of the server's clock."""
        return cls(now - length - tolerance, now + tolerance)

    def holds(self, capture_time: datetime | None) -> bool:
        """Tells whether a picture taken then belongs to it; one of which nobody knows when does not."""
        return capture_time is not None and capture_time >= self.start


def capture_time(moment: Moment | None, announced: datetime | None, *, latest: datetime) -> CaptureTime:
    """Returns when a picture was taken.

    Args:
        moment: The camera's word.
        announced: The phone's word; aware.
        latest: A camera's word from behind this moment is nonsense.
    """
    said = None if moment is None else _of_camera(moment, announced)
    if said is None or said.time is None or said.time > latest:
        return CaptureTime(announced)
    return said


def _of_camera(moment: Moment, announced: datetime | None) -> CaptureTime | None:
    offset = moment.utc_offset
    if offset is None and announced is not None:
        offset = _offset_between(moment.wall_time.replace(tzinfo=UTC), announced)
    try:
        return CaptureTime(moment.wall_time.replace(tzinfo=UTC) - (offset or timedelta()), offset)
    except OverflowError:
        return None


def _offset_between(wall_time: datetime, announced: datetime) -> timedelta | None:
    """Returns the zone that makes both words one, if a zone can.

    None at all counts as not known: a phone that knows no zone announces the wall clock as if it were UTC.
    """
    difference = wall_time - announced
    offset = _ZONE_STEP * round(difference / _ZONE_STEP)
    is_zone = offset and abs(offset) <= _LARGEST_OFFSET and abs(difference - offset) <= _SAME_MOMENT
    return offset if is_zone else None
