"""Moments of a roll, the place that is home, and trips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.suggestion.domain.geometry import Position
from services.suggestion.domain.photos import Photo, clock_sorted

GAP = timedelta(hours=3)
JUMP_KM = 15.0
AWAY_KM = 60.0
TRIP_GAP = timedelta(hours=40)
TRIP_MIN_PHOTOS = 5
TRIP_MIN_SPAN = timedelta(hours=18)
HOME_GRID_DEGREES = 0.1
HOME_MIN_DAYS = 2


@dataclass(frozen=True)
class Moment:
    """A run of photos that belong together, in the order of capture; never empty."""

    photos: tuple[Photo, ...]

    @property
    def anchor(self) -> str:
        """What names the moment while photos come and go: its day and hour."""
        return self.photos[0].taken.strftime("%Y-%m-%dT%H")


def split(photos: Sequence[Photo]) -> list[Moment]:
    """Split a roll where more than 3 hours pass, or where the next photo is more than 15 km away."""
    runs: list[list[Photo]] = []
    for photo in clock_sorted(photos):
        if runs and not _breaks(runs[-1], photo):
            runs[-1].append(photo)
        else:
            runs.append([photo])
    return [Moment(tuple(run)) for run in runs]


def home(photos: Sequence[Photo]) -> Position | None:
    """Return where the person is on the most days: the mean of the busiest cell of about 10 km; nothing if unclear."""
    days: Counter[tuple[int, int]] = Counter()
    placed = [(photo, photo.position) for photo in photos if photo.position is not None]
    for cell, _ in {(_cell(position), photo.wall_time.date()) for photo, position in placed}:
        days[cell] += 1
    if not days:
        return None
    cell, count = min(days.items(), key=lambda item: (-item[1], item[0]))
    if count < HOME_MIN_DAYS:
        return None
    inside = [position for _, position in placed if _cell(position) == cell]
    latitude = sum(position.latitude for position in inside) / len(inside)
    return Position(latitude, sum(position.longitude for position in inside) / len(inside))


def trips(photos: Sequence[Photo]) -> list[Moment]:
    """Return runs of photos away from home that last overnight; none while home or places are not known."""
    centre = home(photos)
    if centre is None:
        return []
    runs: list[list[Photo]] = []
    for photo in clock_sorted(photos):
        if photo.position is None:
            continue
        if photo.position.distance_km(centre) < AWAY_KM:
            runs.append([])
        elif runs and runs[-1] and photo.taken - runs[-1][-1].taken <= TRIP_GAP:
            runs[-1].append(photo)
        else:
            runs.append([photo])
    return [Moment(tuple(run)) for run in runs if _is_trip(run)]


def _breaks(run: Sequence[Photo], photo: Photo) -> bool:
    last = run[-1]
    if photo.taken - last.taken > GAP:
        return True
    if photo.position is None or last.position is None:
        return False
    return photo.position.distance_km(last.position) > JUMP_KM


def _is_trip(run: Sequence[Photo]) -> bool:
    return len(run) >= TRIP_MIN_PHOTOS and run[-1].taken - run[0].taken >= TRIP_MIN_SPAN


def _cell(position: Position) -> tuple[int, int]:
    return round(position.latitude / HOME_GRID_DEGREES), round(position.longitude / HOME_GRID_DEGREES)
