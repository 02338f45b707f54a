"""Coordinates: latitude and longitude from what cameras and programs write for them.

A hemisphere that is guessed is worse than no position: without a reference that can be read there is none.
"""

import math
import re
from typing import Final, SupportsFloat

_SIDES: Final = {
    **dict.fromkeys(("N", "NORTH", "NORTHERN", "NORD", "NORTE"), ("latitude", 1)),
    **dict.fromkeys(("S", "SOUTH", "SOUTHERN", "SUD", "SÜD", "SUR"), ("latitude", -1)),
    **dict.fromkeys(("E", "EAST", "EASTERN", "EST", "ESTE"), ("longitude", 1)),
    **dict.fromkeys(("W", "WEST", "WESTERN"), ("longitude", -1)),
}
_TEXT: Final = re.compile(
    r"(?P<before>[A-Za-zÜü]*)\s*(?P<sign>[+\-]?)(?P<degrees>\d{1,3}(?:\.\d+)?)\s*(?:°|º|deg|d|,|:|\s)?\s*"
    r"(?:(?P<minutes>\d{1,2}(?:\.\d+)?)\s*(?:'|′|m|min|,|:|\s)?\s*)?"
    r"(?:(?P<seconds>\d{1,2}(?:\.\d+)?)\s*(?:\"|″|''|s|sec)?\s*)?(?P<after>[A-Za-zÜü]*)"
)
_MAX_CHARACTERS: Final = 64
_LIMITS: Final = {"latitude": 90, "longitude": 180}
Coordinate = tuple[object, str]
"""What is written for a coordinate: its value, and its reference; "" if there is none."""


def position_of(latitude: Coordinate, longitude: Coordinate) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees, south and west negative; None if they make no sense.

    Raises:
        TypeError: a value is of a kind that no coordinate is.
        ValueError: likewise.
    """
    north, east = _degrees(*latitude, "latitude"), _degrees(*longitude, "longitude")
    # Cameras without a fix write zeros.
    if north is None or east is None or (north == 0 and east == 0):
        return None
    return north, east


def _degrees(value: object, reference: str, axis: str) -> float | None:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    degrees, side = _spelt(value.strip("\0 \t\r\n"), axis) if isinstance(value, str) else (_sum(value), None)
    if reference:
        said = _side(reference, axis)
        # Two references that contradict each other are none.
        if said is None or (side is not None and side != said):
            return None
        side = said
    if degrees is None or side is None or not 0 <= degrees <= _LIMITS[axis]:
        return None
    return side * degrees


def _side(text: str, axis: str) -> int | None:
    named = _SIDES.get(text.strip("\0 \t\r\n.").upper())
    return named[1] if named is not None and named[0] == axis else None


def _sum(value: object) -> float | None:
    """Return the degrees of one number or of up to three: degrees, minutes, seconds."""
    numbers = value if isinstance(value, tuple) else (value,)
    if not 1 <= len(numbers) <= 3 or not all(isinstance(number, SupportsFloat) for number in numbers):
        return None
    degrees, minutes, seconds = (*(float(number) for number in numbers), 0.0, 0.0)[:3]
    # What is no number among the smaller parts is not there; whole degrees alone are no place.
    if not math.isfinite(seconds):
        seconds = 0.0
    if not math.isfinite(minutes):
        minutes = 0.0 if math.isfinite(degrees) and degrees % 1 else math.nan
    if not math.isfinite(degrees + minutes) or min(degrees, minutes, seconds) < 0:
        return None
    return math.fsum((degrees, minutes / 60, seconds / 3600))


def _spelt(text: str, axis: str) -> tuple[float | None, int | None]:
    """Return degrees and side of text such as "48,51.5N" (XMP), "48 deg 51.5' N" or "-48.8583"."""
    match = _TEXT.fullmatch(text[:_MAX_CHARACTERS])
    if match is None:
        return None, None
    minutes, seconds = float(match["minutes"] or 0), float(match["seconds"] or 0)
    if minutes > 60 or seconds > 60:
        return None, None
    sides = {_side(word, axis) for word in (match["before"], match["after"]) if word}
    if match["sign"]:
        sides.add(-1 if match["sign"] == "-" else 1)
    side = sides.pop() if len(sides) == 1 else None
    return math.fsum((float(match["degrees"]), minutes / 60, seconds / 3600)), side
