"""Capture time: when a picture was taken, by the best of all that its file says, and what that is worth.

It decides which consent a picture needs. The phone's side and the service read it here, from the same bytes, by the
same order of sources. A time that cannot be, or that is still to come, gives way to the next source.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

from PIL import ExifTags

from services.picture_files import iptc
from services.picture_files.blocks import Blocks
from services.picture_files.exif import exif_tags, tag_text
from services.picture_files.names import read_name
from services.picture_files.timestamps import Moment, Precision, read_moment
from services.picture_files.xmp import read_xmp

_CLOCKS_APART: Final = timedelta(minutes=15)
"""How far the clocks of a camera and of the reader may differ."""
_EASTERNMOST: Final = timedelta(hours=14)
_WESTERNMOST: Final = timedelta(hours=-12)
_ZONE_STEP: Final = timedelta(minutes=15)
_SAME_MOMENT: Final = timedelta(seconds=2)
_LONGEST_DAY: Final = timedelta(days=1, hours=12)
"""From the beginning of a day in UTC to its end in the westernmost zone."""
_Tag = ExifTags.Base
_GPS = ExifTags.GPS


class Source(StrEnum):
    """What says when a picture was taken, the best first."""

    EXIF_ORIGINAL = "EXIF_ORIGINAL"
    EXIF_DIGITIZED = "EXIF_DIGITIZED"
    EXIF_CHANGE = "EXIF_CHANGE"
    XMP = "XMP"
    IPTC = "IPTC"
    CONTAINER = "CONTAINER"
    GPS = "GPS"
    FILE_NAME = "FILE_NAME"
    FILE_TIME = "FILE_TIME"


@dataclass(frozen=True)
class Taken:
    """When a picture was taken.

    Attributes:
        time: Its first instant, as exactly as it is known; naive if its zone is not known.
        source: What says so.
        precision: How exactly.
    """

    time: datetime
    source: Source
    precision: Precision = Precision.SECOND


# When the shutter opened, then when a scanner or phone made the picture of it; the zone and the parts of the second.
_EXIF_MOMENTS: Final = (
    (Source.EXIF_ORIGINAL, _Tag.DateTimeOriginal, _Tag.OffsetTimeOriginal, _Tag.SubsecTimeOriginal),
    (Source.EXIF_DIGITIZED, _Tag.DateTimeDigitized, _Tag.OffsetTimeDigitized, _Tag.SubsecTimeDigitized),
)
_XMP_CREATED: Final = (
    "exif:DateTimeOriginal",
    "photoshop:DateCreated",
    "xmp:CreateDate",
    "exif:DateTimeDigitized",
)
_XMP_CHANGED: Final = ("tiff:DateTime", "xmp:ModifyDate")


def capture_time(blocks: Blocks, name: str, modified: float, now: datetime) -> Taken | None:
    """Return when a picture was taken, by its bytes, else its name, else the file's own time (seconds since 1970).

    The file's own time goes before a name that tells the day alone, if it lies on that day; from one that differs from
    the clock in a name by a zone, the zone is learnt.
    """
    embedded = embedded_time(blocks, now)
    if embedded is not None:
        return embedded
    named, own = name_time(name, now), file_time(modified, now)
    if named is None or own is None:
        return named or own
    return own if is_more_exact(own.time, named) else _with_zone(named, own.time)


def is_more_exact(time: datetime, named: Taken) -> bool:
    """Tell whether an instant lies on the day, in any zone, that is all that a name tells."""
    begins = _instant(named.time)
    return named.precision is Precision.DAY and begins - _EASTERNMOST <= time < begins + _LONGEST_DAY


def embedded_time(blocks: Blocks, now: datetime) -> Taken | None:
    """Return the best time that the bytes of a file say; None if they say none that can be.

    The time of the last change (EXIF's DateTime) is worth more than XMP and IPTC only where they do not say that the
    picture was there earlier: nothing is taken after its last change.

    Args:
        blocks: What the file says of itself.
        now: The clock; aware. What lies behind it is no time of capture.
    """
    said = [taken for taken in _said(blocks) if _is_past(taken.time, now)]
    if not said:
        return None
    best = said[0]
    if best.source is Source.EXIF_CHANGE:
        created = [taken for taken in said if taken.source in (Source.XMP, Source.IPTC) and _precedes(taken, best)]
        return created[0] if created else best
    return best


def name_time(name: str, now: datetime) -> Taken | None:
    """Return the time that a file's name says; None if it says none that can be. `now` is aware."""
    moment = read_name(name)
    if moment is None or not _is_past(moment.time, now):
        return None
    return Taken(moment.time, Source.FILE_NAME, moment.precision)


def file_time(modified: float, now: datetime) -> Taken | None:
    """Return the file's own time.

    Args:
        modified: Seconds since 1970; what is not after that says nothing.
        now: The clock; aware.
    """
    if not math.isfinite(modified) or not 0 < modified <= now.timestamp() + _CLOCKS_APART.total_seconds():
        return None
    return Taken(datetime.fromtimestamp(modified, UTC), Source.FILE_TIME)


def _said(blocks: Blocks) -> Iterator[Taken]:
    xmp = read_xmp(blocks.xmp)
    first, details, position = exif_tags(blocks.exif)
    for source, time, zone, fraction in _EXIF_MOMENTS:
        yield from _exif_moment((details, first), source, (time, zone, fraction))
    yield from _exif_moment((first, details), Source.EXIF_CHANGE, (_Tag.DateTime, _Tag.OffsetTime, _Tag.SubsecTime))
    yield from _texts(Source.XMP, [xmp.text(name) for name in _XMP_CREATED])
    yield from _texts(Source.IPTC, iptc.creation_times(blocks.iptc))
    yield from _texts(Source.XMP, [xmp.text(name) for name in _XMP_CHANGED])
    yield from _texts(Source.CONTAINER, [blocks.container, blocks.container_change])
    yield from _gps_moment(position)
    yield from _texts(Source.GPS, [xmp.text("exif:GPSTimeStamp")])


def _exif_moment(
    where: tuple[Mapping[int, object], Mapping[int, object]], source: Source, tags: tuple[int, int, int]
) -> Iterator[Taken]:
    """Yield a time of the directory in which it belongs, else of the one in which some programs write it."""
    time, zone, fraction = ([tag_text(directory.get(tag)) for directory in where] for tag in tags)
    for text in time:
        moment = read_moment(text, zone[0] or zone[1], fraction[0] or fraction[1])
        if moment is not None:
            yield Taken(moment.time, source, moment.precision)


def _texts(source: Source, texts: list[str]) -> Iterator[Taken]:
    for text in texts:
        moment = read_moment(text)
        if moment is not None:
            yield Taken(moment.time, source, moment.precision)


def _gps_moment(position: Mapping[int, object]) -> Iterator[Taken]:
    """Yield the time of the satellites, which is UTC; of a day alone where the time of day is not told."""
    date = read_moment(tag_text(position.get(_GPS.GPSDateStamp)))
    if date is None or date.precision is not Precision.DAY:
        return
    clock = position.get(_GPS.GPSTimeStamp)
    day = Moment(date.time.replace(tzinfo=UTC), Precision.DAY)
    moment = (_guarded(lambda: _at(day.time, clock)) if isinstance(clock, tuple) and len(clock) == 3 else None) or day
    yield Taken(moment.time, Source.GPS, moment.precision)


def _at(midnight: datetime, clock: tuple[object, ...]) -> Moment | None:
    hour, minute, second = (float(part) for part in clock)  # type: ignore[arg-type]
    is_clock = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 61
    return Moment(midnight + timedelta(hours=hour, minutes=minute, seconds=second)) if is_clock else None


def _guarded(read: Callable[[], Moment | None]) -> Moment | None:
    try:
        return read()
    except (TypeError, ValueError, ArithmeticError):
        return None


def _with_zone(named: Taken, instant: datetime) -> Taken:
    """Return a time by a wall clock with the zone in which that clock showed it at an instant, if there is one."""
    if named.time.tzinfo is not None or named.precision is not Precision.SECOND:
        return named
    difference = _instant(named.time) - instant
    offset = _ZONE_STEP * round(difference / _ZONE_STEP)
    is_zone = _WESTERNMOST <= offset <= _EASTERNMOST and abs(difference - offset) <= _SAME_MOMENT
    return replace(named, time=named.time.replace(tzinfo=timezone(offset))) if is_zone else named


def _is_past(time: datetime, now: datetime) -> bool:
    """Tell whether a time may have been; a wall clock of an unknown zone may be that of the easternmost."""
    ahead = _CLOCKS_APART if time.tzinfo is not None else _EASTERNMOST + _CLOCKS_APART
    return _instant(time) <= now + ahead


def _instant(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _precedes(created: Taken, changed: Taken) -> bool:
    """Tell whether one time lies before another whatever zones they may be of."""
    return _instant(created.time) < _instant(changed.time) - timedelta(days=1)
