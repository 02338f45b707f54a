"""What the service reasons about: photos as the analysis understood them, and the ideas made of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

EARTH_RADIUS_KM = 6371.0088


class Kind(StrEnum):
    """Kind of an idea; the names of `SuggestionKind`."""

    COLLAGE = "COLLAGE"
    THEME = "THEME"
    HIDDEN_GEM = "HIDDEN_GEM"
    TIDY_UP = "TIDY_UP"


class State(StrEnum):
    """Where an idea stands in its life; the names of `SuggestionState`."""

    READY = "READY"
    SEEN = "SEEN"
    SAVED = "SAVED"
    DISMISSED = "DISMISSED"
    EXPIRED = "EXPIRED"


class Act(StrEnum):
    """What its owner can do with an idea."""

    SEE = "see"
    SAVE = "save"
    DISMISS = "dismiss"


_NEXT: Mapping[tuple[State, Act], State] = {
    (State.READY, Act.SEE): State.SEEN,
    (State.SEEN, Act.SEE): State.SEEN,
    (State.SAVED, Act.SEE): State.SAVED,
    (State.READY, Act.SAVE): State.SAVED,
    (State.SEEN, Act.SAVE): State.SAVED,
    (State.SAVED, Act.SAVE): State.SAVED,
    (State.READY, Act.DISMISS): State.DISMISSED,
    (State.SEEN, Act.DISMISS): State.DISMISSED,
    (State.SAVED, Act.DISMISS): State.DISMISSED,
    (State.DISMISSED, Act.DISMISS): State.DISMISSED,
}


def after(state: State, act: Act) -> State | None:
    """Return the state that an act leads to; nothing if the life cycle does not allow it."""
    return _NEXT.get((state, act))


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


@dataclass(frozen=True)
class Photo:
    """A picture as it was understood. Scores are from 0 to 1; `position` only under LOCATION.

    `is_sensitive` is whether it may be intimate: no idea is ever made of such a picture.
    """

    media: str
    taken: datetime
    width: int
    height: int
    kind: str = "PHOTO"
    tags: Mapping[str, float] = field(default_factory=dict)
    faces: tuple[Box, ...] = ()
    sharpness: float = 1.0
    exposure: float = 1.0
    duplicate_group: str = ""
    position: Position | None = None
    embedding: tuple[float, ...] = ()
    favorite: bool = False
    utc_offset: timedelta = timedelta()
    is_sensitive: bool = False

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def wall_time(self) -> datetime:
        """The time on the clock where it was taken."""
        return self.taken + self.utc_offset


@dataclass(frozen=True)
class Evidence:
    """One thing that speaks for an idea: a signal, what it found, in how many photos, how strongly (0 to 1)."""

    signal: str
    value: str
    media_count: int
    score: float


@dataclass(frozen=True)
class Idea:
    """What is offered: `anchor` stays the same while the idea does, however its photos change."""

    kind: Kind
    anchor: str
    media: tuple[str, ...]
    score: float
    theme: str = ""
    start: datetime | None = None
    end: datetime | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def purpose(self) -> str:
        """The purpose whose withdrawal takes the idea: LOCATION if places speak for it."""
        return "LOCATION" if any(each.signal == "place" for each in self.evidence) else "CLOUD_PROCESSING"

    def with_media(self, media: Sequence[str]) -> Idea:
        """Return the idea with other photos."""
        return replace(self, media=tuple(media))


def usable(photo: Photo, *, min_sharpness: float, min_exposure: float) -> bool:
    """Return whether a picture is a photo good enough to show to anyone."""
    return photo.kind == "PHOTO" and photo.sharpness >= min_sharpness and photo.exposure >= min_exposure


def clock_sorted(photos: Sequence[Photo]) -> list[Photo]:
    """Return photos in the order they were taken; the name breaks ties, so that results never flicker."""
    return sorted(photos, key=lambda photo: (photo.taken, photo.media))
