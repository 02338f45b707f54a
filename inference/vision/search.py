"""Pictures found by words: a picture points where the sentences of its likeliest classes point (ConSE).

Norouzi et al. 2014, "Zero-shot learning by convex combination of semantic embeddings": no network has to know
pictures and words together; the classes of the scene classifier stand between them. People, whom those classes do
not know, come in by the faces that were found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.vision.tags import CLASSES, class_probabilities, tag_groups

LIKELIEST: Final = 10
PEOPLE: Final = ("a person, a portrait, a face, a man or a woman", "people, a group of persons, a family, friends")
_GROUP: Final = 3  # so many faces are a group
_PEOPLE_WEIGHT: Final = 0.5
_HERE: Final = Path(__file__).parent
_NAMES: Final = _HERE.parent / "models" / "scene_classifier" / "classes.txt"
_VECTORS: Final = _HERE / "label_vectors.npz"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LabelVectors:
    """Where the sentences of the labels point.

    Attributes:
        encoder: identity of the text encoder that says so; only its own words can be compared with them.
        vectors: [labels, length], each of length 1, in the order of `label_sentences`.
    """

    encoder: str
    vectors: Floats


@cache
def label_sentences() -> tuple[str, ...]:
    """Return a sentence for each class of the scene classifier, with its tags, and those for people."""
    names = _NAMES.read_text("utf-8").splitlines()
    groups = tag_groups()
    tags = ([tag for tag, members in groups.items() if index in members] for index in range(CLASSES))
    return (*(", ".join([f"a photo of a {name}", *of_it]) for name, of_it in zip(names, tags, strict=True)), *PEOPLE)


@cache
def shipped_label_vectors() -> LabelVectors:
    """Return the label vectors of the text encoder that comes with the product.

    For another encoder they are what it answers to `label_sentences`.
    """
    with np.load(_VECTORS, allow_pickle=False) as arrays:
        return LabelVectors(str(arrays["encoder"]), arrays["vectors"].astype(np.float32))


def picture_vector(logits: Floats, labels: LabelVectors, *, faces: int = 0) -> Floats:
    """Says where a picture points.

    Args:
        logits: [1000], the scene classifier's answer.
        labels: where the labels point.
        faces: how many were found.

    Returns:
        [length], of length 1.
    """
    probabilities = class_probabilities(logits)
    best = np.argsort(-probabilities, kind="stable")[:LIKELIEST]
    weights = probabilities[best] / probabilities[best].sum()
    vector = np.einsum("i,ij->j", weights, labels.vectors[best])
    if faces:
        people = labels.vectors[CLASSES + (faces >= _GROUP)]
        vector = (1 - _PEOPLE_WEIGHT) * _unit(vector) + _PEOPLE_WEIGHT * people
    return _unit(vector)


def rank(query: Floats, pictures: Sequence[Floats]) -> list[tuple[int, float]]:
    """Ranks pictures by how near they point to a query.

    Args:
        query: [length], of length 1.
        pictures: [length] each, of length 1, of the same encoder.

    Returns:
        Index of the picture and cosine, the nearest first.
    """
    cosines = np.einsum("ij,j->i", np.stack(pictures), query).tolist() if len(pictures) else []
    return sorted(enumerate(cosines), key=lambda found: -found[1])


def _unit(vector: NDArray[np.float64] | Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
