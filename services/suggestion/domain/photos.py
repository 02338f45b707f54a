"""Photos as the analysis service describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.suggestion.domain.geometry import Box, Position


@dataclass(frozen=True)
class Photo:
    """A picture as it was analyzed. Scores are from 0 to 1; `position` only under LOCATION.

    `is_sensitive` is whether it may be intimate, `is_hidden` whether its owner hid it: no idea is ever made of either.
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
    is_hidden: bool = False

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def wall_time(self) -> datetime:
        """The time on the clock where it was taken."""
        return self.taken + self.utc_offset


def usable(photo: Photo, *, min_sharpness: float, min_exposure: float) -> bool:
    """Return whether a picture is a photo good enough to show to anyone."""
    return photo.kind == "PHOTO" and photo.sharpness >= min_sharpness and photo.exposure >= min_exposure


def clock_sorted(photos: Sequence[Photo]) -> list[Photo]:
    """Return photos in the order they were taken; the name breaks ties, so that results never flicker."""
    return sorted(photos, key=lambda photo: (photo.taken, photo.media))
