"""Geometry: rectangles of a picture, and positions on the globe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True)
class Box:
    """A rectangle as fractions of a picture's width and height, origin at the upper left."""

    x: float
    y: float
    width: float
    height: float

    def grown(self, fraction: float) -> Box:
        """Return the box with a margin of a fraction of its sides, kept inside the picture."""
        left, top = max(0.0, self.x - self.width * fraction), max(0.0, self.y - self.height * fraction)
        right = min(1.0, self.x + self.width * (1 + fraction))
        bottom = min(1.0, self.y + self.height * (1 + fraction))
        return Box(left, top, right - left, bottom - top)


def union(boxes: Sequence[Box]) -> Box | None:
    """Return the smallest box around all; nothing for none."""
    if not boxes:
        return None
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class Position:
    """A position on the globe in degrees, WGS 84."""

    latitude: float
    longitude: float

    def distance_km(self, other: Position) -> float:
        """Return the great-circle distance (haversine)."""
        here, there = math.radians(self.latitude), math.radians(other.latitude)
        across = math.sin((there - here) / 2) ** 2
        along = math.sin(math.radians(other.longitude - self.longitude) / 2) ** 2
        return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, across + math.cos(here) * math.cos(there) * along)))
