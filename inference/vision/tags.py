"""Scene classifier's thousand classes become some fifty tags that an album can use."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

CLASSES: Final = 1000
SHOW_SCORE: Final = 0.15
_TABLE: Final = Path(__file__).with_name("tags.toml")


@dataclass(frozen=True)
class Tag:
    """What a picture shows, and how sure the classifier is of it, 0..1."""

    name: str
    score: float


def album_tags(logits: NDArray[np.float32], *, threshold: float = SHOW_SCORE) -> tuple[Tag, ...]:
    """Sum the classes' probabilities into tags.

    Args:
        logits: [1000], the classifier's answer for one picture.
        threshold: the lowest score to keep.

    Returns:
        The tags, the surest first; of equal ones, the more particular first.
    """
    groups = tag_groups()
    scores = zip(groups, _scores(class_probabilities(logits)).tolist(), strict=True)
    kept = (Tag(name, score) for name, score in scores if score >= threshold)
    return tuple(sorted(kept, key=lambda tag: (-round(tag.score, 2), len(groups[tag.name]))))


@cache
def tag_groups() -> dict[str, tuple[int, ...]]:
    """Tag name -> the indices of its classes, from `tags.toml`."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    return {name: tuple(sorted(set(_indices(entries)))) for name, entries in table.items()}


def _indices(entries: Iterable[int | str]) -> Iterable[int]:
    for entry in entries:
        first, _, last = str(entry).partition("-")
        yield from range(int(first), int(last or first) + 1)


def _scores(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each tag 1 when its classes have all the probability, 0 when no more than their share by chance."""
    members = _members()
    chance = members.sum(axis=1) / CLASSES
    sums = np.einsum("ij,j->i", members, probabilities)  # `@` would wake threads that then spin
    scores: NDArray[np.float64] = np.clip((sums - chance) / (1 - chance), 0, 1)
    return scores


@cache
def _members() -> NDArray[np.float64]:
    """Return [tags, 1000]: 1 where a class belongs to a tag."""
    members = np.zeros((len(tag_groups()), CLASSES))
    for row, classes in zip(members, tag_groups().values(), strict=True):
        row[list(classes)] = 1
    return members


def class_probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return [1000] probabilities that sum to 1, of the classifier's answer for one picture."""
    powers = np.exp(logits.astype(np.float64) - float(logits.max()))
    probabilities: NDArray[np.float64] = powers / powers.sum()
    return probabilities
