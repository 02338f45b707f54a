"""Durations as they are typed: 90s, 30m, 12h, 7d."""

from __future__ import annotations

import re
from datetime import timedelta

from services.cli.output import UsageWrong

_NUMBER = re.compile("[0-9]{1,9}")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse(text: str, *, field: str, least: timedelta, most: timedelta) -> timedelta:
    """Return how long a text such as 90s, 30m, 12h or 7d is.

    Raises:
        UsageWrong: it is no duration, or out of bounds.
    """
    number, unit = text[:-1], text[-1:]
    if not _NUMBER.fullmatch(number) or unit not in _UNITS:
        raise UsageWrong("FIELD_INVALID", f"{text!r} is no duration: write 90s, 30m, 12h or 7d", field)
    seconds = int(number) * _UNITS[unit]
    if not least.total_seconds() <= seconds <= most.total_seconds():
        raise UsageWrong("FIELD_INVALID", f"{text!r} is out of bounds: {_words(least)} to {_words(most)}", field)
    return timedelta(seconds=seconds)


def _words(length: timedelta) -> str:
    return f"{length.days}d" if length.days else f"{length.seconds}s"
