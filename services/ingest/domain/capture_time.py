"""Capture time: the file's own word, then its name's, or the phone's where they say nothing that can be."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.ingest.domain.media import Asset, MediaForm
from services.picture_files.capture_time import Source, Taken, is_more_exact
from services.picture_files.timestamps import Precision

_ZONE_STEP = timedelta(minutes=15)
_LARGEST_OFFSET = timedelta(hours=14)
_SAME_MOMENT = timedelta(seconds=2)
_OF_THE_FILE_SYSTEM = frozenset({Source.FILE_NAME, Source.FILE_TIME})


@dataclass(frozen=True)
class CaptureTime:
    """When a picture was taken.

    Attributes:
        time: Aware; None if that is not known.
        utc_offset: Of the wall clock there and then; None if not known.
        source: What says so; None if the phone does without saying how it knows.
        precision: How exactly; None if the phone does not say.
    """

    time: datetime | None = None
    utc_offset: timedelta | None = None
    source: Source | None = None
    precision: Precision | None = None


def capture_time(
    read: Taken | None, named: Taken | None, asset: Asset, *, form: MediaForm, latest: datetime
) -> CaptureTime:
    """Return when a picture was taken.

    Args:
        read: What the bytes that came say, none of it still to come.
        named: What the file's name says, likewise.
        asset: The phone's word.
        form: Of what came: a reduced copy says less than the original, which the phone has seen.
        latest: A phone's word from behind this moment is nonsense.
    """
    announced = _announced(asset, latest)
    if read is not None:
        found = _of_camera(read, announced)
        return announced if form is MediaForm.REDUCED and _says_more(announced, found) else found
    return announced if named is None or _knows_better(announced, named) else _of_camera(named, announced)


def _announced(asset: Asset, latest: datetime) -> CaptureTime:
    if asset.capture_time is None or asset.capture_time > latest:
        return CaptureTime()
    return CaptureTime(
        asset.capture_time, asset.capture_utc_offset, asset.capture_time_source, asset.capture_time_precision
    )


def _says_more(announced: CaptureTime, found: CaptureTime) -> bool:
    """Tell whether the phone read the same moment in the original, or an earlier one that the copy has lost.

    A later one is never believed: it would need less consent.
    """
    if announced.time is None or found.time is None or announced.source in {None, *_OF_THE_FILE_SYSTEM}:
        return False
    return announced.time <= found.time + _SAME_MOMENT


def _knows_better(announced: CaptureTime, named: Taken) -> bool:
    """Tell whether the phone's word goes before the name: always, unless it is the file's own time of another day.

    A phone that read the name may know the zone besides.
    """
    if announced.time is None:
        return False
    if announced.source is Source.FILE_TIME:
        return is_more_exact(announced.time, named)
    wall_time = announced.time + (announced.utc_offset or timedelta())
    is_same = abs(wall_time - named.time.replace(tzinfo=UTC)) <= _SAME_MOMENT
    return announced.source is not Source.FILE_NAME or is_same


def _of_camera(said: Taken, announced: CaptureTime) -> CaptureTime:
    wall_time, offset = said.time.replace(tzinfo=UTC), said.time.utcoffset()
    if offset is None and announced.time is not None and announced.source is None:
        offset = announced.utc_offset or _offset_between(wall_time, announced.time)
    return CaptureTime(wall_time - (offset or timedelta()), offset, said.source, said.precision)


def _offset_between(wall_time: datetime, announced: datetime) -> timedelta | None:
    """Return the zone that makes both words one, if a zone can.

    None at all counts as not known: a phone that knows no zone announces the wall clock as if it were UTC.
    """
    difference = wall_time - announced
    offset = _ZONE_STEP * round(difference / _ZONE_STEP)
    is_zone = offset and abs(offset) <= _LARGEST_OFFSET and abs(difference - offset) <= _SAME_MOMENT
    return offset if is_zone else None
