"""What EXIF says of the moment a picture was taken, and how it was held. Positions are never looked at here.

The block is found by the walk through the file and read by Pillow, of which only the tag reader is used: no pixel is
decoded. Cameras write nonsense into these fields, attackers worse: whatever cannot be read counts as not there.
"""

import re
import struct
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta

from PIL import ExifTags, Image

_EARLIEST_YEAR = 1900
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
class Moment:
    """When a picture was taken, as the camera's clock showed it.

    Attributes:
        wall_time: Naive.
        utc_offset: Of that clock; None if the camera did not say.
    """

    wall_time: datetime
    utc_offset: timedelta | None


@dataclass(frozen=True)
class Exif:
    """What is of interest.

    Attributes:
        moment: None if it says nothing, or nothing that can be.
        orientation: 1 to 8; 1 if it says nothing that can be.
    """

    moment: Moment | None = None
    orientation: int = 1


def read_exif(block: bytes | None) -> Exif:
    """Reads an EXIF block, from its TIFF header on."""
    if not block:
        return Exif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exif = Image.Exif()
            exif.load(block)
            return Exif(_moment(exif.get_ifd(ExifTags.IFD.Exif)), _orientation(exif.get(_Tag.Orientation)))
        except _UNREADABLE:
            return Exif()


def _moment(tags: dict[int, object]) -> Moment | None:
    for time_tag, offset_tag, fraction_tag in _MOMENTS:
        wall_time = _wall_time(_text(tags.get(time_tag)), _text(tags.get(fraction_tag)))
        if wall_time is not None:
            return Moment(wall_time, _offset(_text(tags.get(offset_tag))))
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


def _offset(text: str) -> timedelta | None:
    if text in ("Z", "z"):
        return timedelta()
    match = _OFFSET.fullmatch(text)
    if match is None or int(match[3]) >= 60:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3])) * (-1 if match[1] == "-" else 1)
    return offset if abs(offset) < _LARGEST_OFFSET else None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\0 \t\r\n") if isinstance(value, str) else ""


def _orientation(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
