"""Best shots: near-duplicates collapsed, then quality against variety (maximal marginal relevance).

Source: Carbonell and Goldstein, "The use of MMR, diversity-based reranking", SIGIR 1998.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from services.suggestion.domain.photos import Photo, clock_sorted

MIN_SHARPNESS = 0.25
MIN_EXPOSURE = 0.45
VARIETY = 0.45
TIME_SCALE_SECONDS = 600.0
LOOK_ALIKE = 0.85


def quality(photo: Photo) -> float:
    """Return how well a photo would stand alone, 0 to 1: sharp, well exposed, people in it, marked by its owner."""
    people = min(1.0, sum(math.sqrt(face.width * face.height) for face in photo.faces) * 3)
    pixels = min(1.0, photo.width * photo.height / 2_000_000)
    base = 0.45 * photo.sharpness + 0.25 * photo.exposure + 0.2 * people + 0.1 * pixels
    return min(1.0, base + (0.15 if photo.favorite else 0.0))


def collapse(photos: Iterable[Photo]) -> list[Photo]:
    """Keep the best of each group of near-duplicates, in the order of capture."""
    best: dict[str, Photo] = {}
    for photo in photos:
        group = photo.duplicate_group or photo.media
        kept = best.get(group)
        if kept is None or (quality(photo), photo.media) > (quality(kept), kept.media):
            best[group] = photo
    return clock_sorted(list(best.values()))


def best_shots(photos: Sequence[Photo], count: int, *, relevance: dict[str, float] | None = None) -> list[Photo]:
    """Choose up to `count` photos that are good and differ, in the order of capture.

    Args:
        photos: candidates, near-duplicates collapsed already.
        count: at most this many.
        relevance: how well a photo fits what is asked for, 0 to 1, by media; 1 if absent.
    """
    worth = {photo.media: quality(photo) * (relevance or {}).get(photo.media, 1.0) for photo in photos}
    left, chosen = list(photos), list[Photo]()
    while left and len(chosen) < count:
        best = max(left, key=lambda photo: (_marginal(photo, chosen, worth[photo.media]), photo.media))
        left.remove(best)
        if all(look_alike(best, other) < LOOK_ALIKE for other in chosen):
            chosen.append(best)
    return clock_sorted(chosen)


def likeness(one: Photo, other: Photo) -> float:
    """Return how alike two photos are, 0 to 1: by what is in them and by when they were taken."""
    apart = abs((one.taken - other.taken).total_seconds())
    return 0.7 * look_alike(one, other) + 0.3 * math.exp(-apart / TIME_SCALE_SECONDS)


def look_alike(one: Photo, other: Photo) -> float:
    """Return the cosine of the scene embeddings, 0 to 1; 0 where one is missing or another model made it."""
    if not one.embedding or len(one.embedding) != len(other.embedding):
        return 0.0
    a, b = np.asarray(one.embedding, np.float32), np.asarray(other.embedding, np.float32)
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return max(0.0, float(a @ b) / norm) if norm else 0.0


def _marginal(photo: Photo, chosen: Sequence[Photo], worth: float) -> float:
    repeated = max((likeness(photo, other) for other in chosen), default=0.0)
    return (1 - VARIETY) * worth - VARIETY * repeated
