"""Timestamps as cameras and programs write them: EXIF's form, ISO 8601's, RFC 2822's, and what becomes of them.

Cameras write blanks for zeros or for everything, programs other separators, no seconds, no time of day at all, or the
zone behind it. What is written is read, and how exactly it was written is told; what cannot be a time is none.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

EARLIEST_YEAR: Final = 1826
"""Of the oldest photograph that is kept: what is said to be older is no time of capture."""
_LATEST_YEAR: Final = 9998
_LARGEST_OFFSET: Final = timedelta(hours=15)
_MAX_CHARACTERS: Final = 100
_SPACED = re.compile(
    r"(?P<year>\d{4})(?P<mark>[:\-/.])\s{0,2}(?P<month>\d{0,2})(?:(?P=mark)\s{0,2}(?P<day>\d{0,2}))?(?P<rest>.*)", re.S
)
_PACKED = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?!\d{1,3}(?!\d))(?P<rest>.*)", re.S)
_YEAR_ALONE = re.compile(r"(?P<year>\d{4})(?P<month>)(?P<day>)(?P<rest>)")
_CLOCK = re.compile(
    r"[Tt\s,]{0,3}(?P<hour>\s?\d{0,2})(?P<mark>[:.\-])(?P<minute>\s{0,2}\d{0,2})"
    r"(?:(?P=mark)(?P<second>\s{0,2}\d{0,2})(?:[.,:](?P<fraction>\d+))?)?(?P<rest>.*)",
    re.S,
)
_PACKED_CLOCK = re.compile(
    r"[Tt\s]?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?(?:[.,](?P<fraction>\d+))?(?!\d)(?P<rest>.*)", re.S
)
_HALF = re.compile(r"\s{0,2}([AaPp])\.?\s?[Mm]\.?(?![A-Za-z])(?P<rest>.*)", re.S)
_ZONE = re.compile(
    r"\s{0,2}(?:(?P<utc>[Zz]|UTC|GMT)|(?P<sign>[+\-])\s?(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?)(?!\d)"
)


class Precision(StrEnum):
    """How exactly a time is known."""

    YEAR = "YEAR"
    MONTH = "MONTH"
    DAY = "DAY"
    MINUTE = "MINUTE"
    SECOND = "SECOND"


@dataclass(frozen=True)
class Moment:
    """A time as it was written.

    Attributes:
        time: Its first instant: of a day that is known without its hour, midnight. Naive if no zone was written.
        precision: How exactly it was written; SECOND also where parts of a second were.
    """

    time: datetime
    precision: Precision = Precision.SECOND


def read_moment(text: str, zone: str = "", fraction: str = "") -> Moment | None:
    """Read a time.

    Args:
        text: As it was written; a zone in it goes before `zone`.
        zone: What a field beside it says of its zone, such as "+02:00"; "" if nothing.
        fraction: What a field beside it says of parts of a second, as the digits behind the point.
    """
    text = _plain(text)
    date = _SPACED.match(text) or _PACKED.match(text) or _YEAR_ALONE.fullmatch(text)
    with suppress(ValueError, OverflowError):
        return _in_words(text) if date is None else _of_date(date, zone, fraction)
    return None


def read_zone(text: str) -> timezone | None:
    """Return a zone as EXIF and ISO 8601 write it; None if it is none."""
    match = _ZONE.match(_plain(text))
    if match is None:
        return None
    if match["utc"]:
        return timezone.utc  # noqa: UP017 - as the zones beside it
    offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
    if int(match["minutes"] or 0) >= 60 or offset >= _LARGEST_OFFSET:
        return None
    return timezone(-offset if match["sign"] == "-" else offset)


def _of_date(date: re.Match[str], zone: str, fraction: str) -> Moment | None:
    year, month, day = (int(date[part] or 0) for part in ("year", "month", "day"))
    if not EARLIEST_YEAR <= year <= _LATEST_YEAR:
        return None
    midnight = datetime(year, month or 1, (day if month else 0) or 1)  # noqa: DTZ001 - a wall clock has no zone
    if not month or not day:
        return Moment(midnight, Precision.MONTH if month else Precision.YEAR)
    clock = _CLOCK.match(date["rest"]) or _PACKED_CLOCK.match(date["rest"])
    if clock is None or not (clock["hour"] + clock["minute"] + (clock["second"] or "")).strip():
        return Moment(midnight, Precision.DAY)
    return _at_clock(midnight, clock, zone, fraction)


def _at_clock(midnight: datetime, clock: re.Match[str], zone: str, fraction: str) -> Moment | None:
    # A blank beside digits stands for zero.
    hour, minute, second = (int((clock[part] or "").strip() or 0) for part in ("hour", "minute", "second"))
    rest, half = clock["rest"], _HALF.match(clock["rest"])
    if half is not None and 1 <= hour <= 12:
        hour, rest = hour % 12 + (12 if half[1] in "Pp" else 0), half["rest"]
    is_midnight = (hour, minute, second) == (24, 0, 0)
    # A leap second is the first of the next minute.
    if minute > 59 or second > 60 or (hour > 23 and not is_midnight):
        return None
    time = midnight + timedelta(hours=hour, minutes=minute, seconds=second)
    time = time.replace(microsecond=_microsecond(clock["fraction"] or fraction))
    precision = Precision.SECOND if clock["second"] is not None else Precision.MINUTE
    return Moment(time.replace(tzinfo=read_zone(rest) or read_zone(zone)), precision)


def _microsecond(fraction: str) -> int:
    match = re.match(r"[0-9]+", _plain(fraction))
    return int(match[0][:6].ljust(6, "0")) if match else 0


def _in_words(text: str) -> Moment | None:
    """Read RFC 2822's form, which PNG suggests, and C's `asctime`."""
    try:
        time = parsedate_to_datetime(text)
    except (TypeError, IndexError):
        return None
    # Without a colon there was no time of day in it.
    precision = Precision.SECOND if ":" in text else Precision.DAY
    return Moment(time, precision) if EARLIEST_YEAR <= time.year <= _LATEST_YEAR else None


def _plain(text: str) -> str:
    """Return text with blanks for NULs and for other white space, and with digits of other scripts as they were."""
    with suppress(UnicodeError):
        # Tags are read as Latin-1; phones set to Arabic or Persian wrote their digits in UTF-8.
        text = text.encode("latin-1").decode("utf-8")
    return text.replace("\0", " ").strip()[:_MAX_CHARACTERS]
