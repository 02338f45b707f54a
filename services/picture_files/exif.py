"""EXIF: when a picture was taken, how it was held, and where.

The block is found by a walk through the file and read by Pillow, of which only the tag reader is used: no pixel is
decoded. Cameras write nonsense into these fields, attackers worse: whatever cannot be read counts as not there.
"""

import math
import re
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from PIL import ExifTags, Image

_EARLIEST_YEAR = 1900
_LYING = frozenset({5, 6, 7, 8})
_TIME = re.compile(r"(\d{4})[:\-/.](\d{2})[:\-/.](\d{2})[ T](\d{2}):(\d{2})(?::(\d{2}))?(?:\.(\d+))?")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_LARGEST_OFFSET = timedelta(hours=15)
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    struct.error,
)
_Tag = ExifTags.Base
# When the shutter opened, or when a scanner or phone made the picture of it; the time of the last change tells neither.
_MOMENTS = (
    (_Tag.DateTimeOriginal, _Tag.OffsetTimeOriginal, _Tag.SubsecTimeOriginal),
    (_Tag.DateTimeDigitized, _Tag.OffsetTimeDigitized, _Tag.SubsecTimeDigitized),
)


@dataclass(frozen=True)
class Exif:
    """How a picture was taken.

    Attributes:
        taken: When, by the camera's clock; naive if the camera did not say its zone, None if it says nothing that
            can be.
        orientation: 1 to 8; 1 if it says nothing that can be.
    """

    taken: datetime | None = None
    orientation: int = 1

    @property
    def is_lying(self) -> bool:
        """Whether the orientation swaps width and height."""
        return self.orientation in _LYING


def read_exif(block: bytes | None) -> Exif:
    """Read an EXIF block, with or without the prefix that JPEG wants before its TIFF header."""
    tags = Image.Exif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tags.load(block or b"")
        except _UNREADABLE:
            return Exif()
        return exif_of(tags)


def exif_of(tags: Image.Exif) -> Exif:
    """Return what a file's tags, as Pillow hands them out, say of how it was taken."""
    try:
        return Exif(_taken(tags.get_ifd(ExifTags.IFD.Exif)), _orientation(tags.get(_Tag.Orientation)))
    except _UNREADABLE:
        return Exif()


def read_position(exif: Image.Exif) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees (EXIF 2.32, 4.6.6); None if there are none, or none that make sense."""
    try:
        block = exif.get_ifd(ExifTags.IFD.GPSInfo)
        latitude = _degrees(block, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S")
        longitude = _degrees(block, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W")
    except _UNREADABLE:
        return None
    # Cameras without a fix write zeros.
    if abs(latitude) > 90 or abs(longitude) > 180 or (latitude == 0 and longitude == 0):
        return None
    return latitude, longitude


def _taken(tags: Mapping[int, object]) -> datetime | None:
    for time_tag, offset_tag, fraction_tag in _MOMENTS:
        wall_time = _wall_time(_text(tags.get(time_tag)), _text(tags.get(fraction_tag)))
        if wall_time is not None:
            return wall_time.replace(tzinfo=_zone(_text(tags.get(offset_tag))))
    return None


def _wall_time(text: str, fraction: str) -> datetime | None:
    match = _TIME.match(text)
    if match is None or int(match[1]) < _EARLIEST_YEAR:
        return None
    digits = match[7] or fraction
    microsecond = int(digits[:6].ljust(6, "0")) if digits.isascii() and digits.isdigit() else 0
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        return datetime(year, month, day, hour, minute, second, microsecond)  # noqa: DTZ001 - a wall clock has no zone
    except ValueError:
        return None


def _zone(text: str) -> timezone | None:
    if text in ("Z", "z"):
        return timezone.utc  # noqa: UP017 - as the zones beside it
    match = _OFFSET.fullmatch(text)
    if match is None or int(match[3]) >= 60:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3])) * (-1 if match[1] == "-" else 1)
    return timezone(offset) if abs(offset) < _LARGEST_OFFSET else None


def _degrees(block: Mapping[int, object], value: int, reference: int, negative: str) -> float:
    parts = block[value]
    if not isinstance(parts, tuple) or not 1 <= len(parts) <= 3:
        raise ValueError("degrees, minutes and seconds are expected")
    degrees = math.fsum(float(part) / 60**power for power, part in enumerate(parts))
    if not math.isfinite(degrees):
        raise ValueError("not a number")
    side = str(block.get(reference, "")).strip("\0 ").upper()
    return -degrees if side == negative else degrees


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\0 \t\r\n") if isinstance(value, str) else ""


def _orientation(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
