"""Themes: which tags speak for one, and which photos belong to it, each with its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.suggestion.domain.photos import Photo
from services.suggestion.domain.suggestions import Evidence, Signal

MIN_SCORE = 0.25
MIN_PHOTOS = 3
SHOWN_TAGS = 3


@dataclass(frozen=True)
class Theme:
    """A theme: the tags that speak for it, and how strongly a photo must show them together (0 to 1)."""

    name: str
    tags: frozenset[str]
    threshold: float = MIN_SCORE

    def score(self, photo: Photo) -> float:
        """Return how strongly a photo belongs to the theme: the strongest of its tags, since tags overlap."""
        return max(photo.tags.get(tag, 0.0) for tag in self.tags)


# Tags are the album tags of the scene classifier; a contract test holds the two lists together.
THEMES: tuple[Theme, ...] = (
    Theme("wedding", frozenset({"wedding"}), 0.3),
    Theme("graduation", frozenset({"graduation"}), 0.3),
    Theme("pets", frozenset({"dog", "cat", "pet"}), 0.4),
    Theme("food", frozenset({"food", "drink", "dessert", "meal", "fruit", "vegetable"}), 0.3),
    Theme(
        "animals",
        frozenset({"bird", "wildlife", "farm animal", "reptile", "insect", "butterfly", "sea life", "fish", "horse"}),
    ),
    Theme("outdoors", frozenset({"mountain", "beach", "water", "landscape", "snow", "camping", "garden"})),
    Theme("flowers", frozenset({"flower", "plant"}), 0.3),
    Theme("city", frozenset({"building", "monument", "place of worship", "street", "bridge"}), 0.3),
    Theme("sports", frozenset({"sports", "swimming"})),
    Theme("music", frozenset({"music"})),
    Theme("vehicles", frozenset({"vehicle", "car", "motorcycle", "boat", "aircraft", "train", "bicycle"}), 0.35),
)
# What tells a party from a meeting: one photo that shows it is enough when people are in the others.
CELEBRATION = Theme("celebration", frozenset({"celebration", "dessert"}), 0.2)
CELEBRATION_PEOPLE = 2


def is_celebration(photos: Sequence[Photo]) -> bool:
    """Return whether a moment is a party: something festive in one photo, and people in two or more."""
    festive = any(CELEBRATION.score(photo) >= CELEBRATION.threshold for photo in photos)
    return festive and sum(bool(photo.faces) for photo in photos) >= CELEBRATION_PEOPLE


def members(theme: Theme, photos: Sequence[Photo]) -> dict[str, float]:
    """Return how strongly each photo of a theme belongs to it, by media; those below its threshold are left out."""
    scores = {photo.media: theme.score(photo) for photo in photos}
    return {media: score for media, score in scores.items() if score >= theme.threshold}


def evidence(theme: Theme, photos: Sequence[Photo]) -> tuple[Evidence, ...]:
    """Return the tags that speak most for a theme in the photos chosen."""
    counts: Counter[str] = Counter()
    strength: Mapping[str, list[float]] = {tag: [] for tag in theme.tags}
    for photo in photos:
        for tag in theme.tags & photo.tags.keys():
            if photo.tags[tag] >= theme.threshold / 2:
                counts[tag] += 1
                strength[tag].append(photo.tags[tag])
    ranked = sorted(counts, key=lambda tag: (-counts[tag], -max(strength[tag]), tag))[:SHOWN_TAGS]
    return tuple(Evidence(Signal.TAG, tag, counts[tag], sum(strength[tag]) / len(strength[tag])) for tag in ranked)
