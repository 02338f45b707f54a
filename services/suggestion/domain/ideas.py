"""Ideas that photos give: collages of moments, themes across moments, trips, hidden gems, a tidy-up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.suggestion.domain import moments, themes
from services.suggestion.domain.best_shots import MIN_EXPOSURE, MIN_SHARPNESS, best_shots, collapse, quality
from services.suggestion.domain.photos import Photo, clock_sorted, usable
from services.suggestion.domain.suggestions import Evidence, Idea, Kind, Signal

COLLAGE_MIN = 3
COLLAGE_MAX = 9
THEME_MAX = 9
GEM_MIN_QUALITY = 0.72
GEMS = 2
GEM_LONELY = 2
TIDY_MIN = 3
TIDY_MAX = 12
CLUTTER = frozenset({"SCREENSHOT", "RECEIPT", "DOCUMENT"})


@dataclass(frozen=True)
class Roll:
    """A person's photos, sorted into what can be shown and what is clutter."""

    all: tuple[Photo, ...]
    good: tuple[Photo, ...]

    @staticmethod
    def of(photos: Iterable[Photo]) -> Roll:
        """Sort photos; near-duplicates are collapsed among the good ones.

        Sensitive and hidden ones are not even clutter.
        """
        everything = clock_sorted([photo for photo in photos if not photo.is_sensitive and not photo.is_hidden])
        fit = [photo for photo in everything if usable(photo, min_sharpness=MIN_SHARPNESS, min_exposure=MIN_EXPOSURE)]
        return Roll(tuple(everything), tuple(collapse(fit)))


def find(photos: Iterable[Photo]) -> list[Idea]:
    """Return every idea that the photos give, best first; the same photos always give the same ideas."""
    roll = Roll.of(photos)
    found = [
        *_collages(roll), *_trips(roll), *_celebrations(roll), *_themes(roll), *_gems(roll), *_tidy_up(roll),
    ]  # fmt: skip
    return sorted(found, key=lambda idea: (-idea.score, idea.anchor))


def _collages(roll: Roll) -> list[Idea]:
    found = []
    for moment in moments.split(roll.good):
        chosen = best_shots(moment.photos, COLLAGE_MAX)
        if len(chosen) >= COLLAGE_MIN:
            proof = (_time_evidence(chosen), _faces_evidence(chosen), _quality_evidence(chosen))
            theme = _leading_theme(chosen)
            found.append(_idea(Kind.COLLAGE, f"moment:{moment.anchor}", chosen, 0.1, theme, proof))
    return found


def _trips(roll: Roll) -> list[Idea]:
    found = []
    for trip in moments.trips(roll.good):
        chosen = best_shots(trip.photos, THEME_MAX)
        days = (trip.photos[-1].wall_time.date() - trip.photos[0].wall_time.date()).days + 1
        proof = (Evidence(Signal.PLACE, str(days), len(trip.photos), 1.0), _quality_evidence(chosen))
        found.append(_idea(Kind.THEME, f"trip:{trip.anchor[:10]}", chosen, 0.2, "trip", proof))
    return found


def _celebrations(roll: Roll) -> list[Idea]:
    found = []
    for moment in moments.split(roll.good):
        chosen = best_shots(moment.photos, THEME_MAX)
        if len(chosen) >= themes.MIN_PHOTOS and themes.is_celebration(moment.photos):
            proof = (*themes.evidence(themes.CELEBRATION, moment.photos), _faces_evidence(chosen))
            found.append(_idea(Kind.THEME, f"celebration:{moment.anchor}", chosen, 0.2, "celebration", proof))
    return found


def _themes(roll: Roll) -> list[Idea]:
    found = []
    for theme in themes.THEMES:
        scores = themes.members(theme, roll.good)
        candidates = [photo for photo in roll.good if photo.media in scores]
        chosen = best_shots(candidates, THEME_MAX, relevance=scores)
        if len(chosen) >= themes.MIN_PHOTOS:
            proof = (*themes.evidence(theme, chosen), _quality_evidence(chosen))
            found.append(_idea(Kind.THEME, f"theme:{theme.name}", chosen, 0.05, theme.name, proof))
    return found


def _gems(roll: Roll) -> list[Idea]:
    """Find good photos that nothing else shows: alone in their moment, or lying among screenshots and receipts."""
    lonely = {
        photo.media
        for moment in moments.split(roll.good)
        if len(moment.photos) <= GEM_LONELY
        for photo in moment.photos
    }
    ranked = sorted(
        (photo for photo in roll.good if photo.media in lonely and quality(photo) >= GEM_MIN_QUALITY),
        key=lambda photo: (-quality(photo), photo.media),
    )
    return [
        _idea(
            Kind.HIDDEN_GEM, f"gem:{photo.media}", [photo], -0.1, _leading_theme([photo]), (_quality_evidence([photo]),)
        )
        for photo in ranked[:GEMS]
    ]


def _tidy_up(roll: Roll) -> list[Idea]:
    shown = {photo.media for photo in roll.good}
    doubles = [
        photo for photo in roll.all if photo.duplicate_group and photo.kind == "PHOTO" and photo.media not in shown
    ]
    blurred = [photo for photo in roll.all if photo.kind == "PHOTO" and photo.sharpness < MIN_SHARPNESS]
    clutter = [photo for photo in roll.all if photo.kind in CLUTTER]
    chosen = list({photo.media: photo for photo in [*clutter, *blurred, *doubles]}.values())[:TIDY_MAX]
    if len(chosen) < TIDY_MIN:
        return []
    proof = tuple(
        Evidence(signal, value, len(group), 1.0)
        for signal, value, group in (
            (Signal.KIND, "clutter", clutter),
            (Signal.QUALITY, "blurred", blurred),
            (Signal.LIKENESS, "near-duplicates", doubles),
        )
        if group
    )
    return [_idea(Kind.TIDY_UP, "tidy-up", chosen, -0.3, "", proof)]


def _idea(
    kind: Kind, anchor: str, photos: Sequence[Photo], bonus: float, theme: str, evidence: Sequence[Evidence]
) -> Idea:
    worth = sum(quality(photo) for photo in photos) / len(photos)
    size = min(1.0, len(photos) / COLLAGE_MAX)
    ordered = clock_sorted(photos)
    return Idea(
        kind=kind,
        anchor=anchor,
        media=tuple(photo.media for photo in photos),
        score=min(1.0, max(0.0, 0.7 * worth + 0.2 * size + bonus)),
        theme=theme,
        start=_clock(ordered[0]),
        end=_clock(ordered[-1]),
        evidence=tuple(row for row in evidence if row.media_count),
    )


def _clock(photo: Photo) -> datetime:
    return photo.wall_time


def _leading_theme(photos: Sequence[Photo]) -> str:
    """Return the theme that most of the photos belong to; none if fewer than half agree."""
    if themes.is_celebration(photos):
        return themes.CELEBRATION.name
    counts = {theme.name: len(themes.members(theme, photos)) for theme in themes.THEMES}
    name, count = max(counts.items(), key=lambda item: item[1])
    return name if count * 2 > len(photos) else ""


def _time_evidence(photos: Sequence[Photo]) -> Evidence:
    ordered = clock_sorted(photos)
    minutes = max(1, round((ordered[-1].taken - ordered[0].taken).total_seconds() / 60))
    return Evidence(Signal.TIME, str(minutes), len(photos), 1.0)


def _faces_evidence(photos: Sequence[Photo]) -> Evidence:
    with_faces = [photo for photo in photos if photo.faces]
    return Evidence(Signal.FACES, "people", len(with_faces), len(with_faces) / len(photos))


def _quality_evidence(photos: Sequence[Photo]) -> Evidence:
    return Evidence(Signal.QUALITY, "good", len(photos), sum(map(quality, photos)) / len(photos))
