"""Kinds of pictures: a photo, or a picture of something to read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray


class Kind(StrEnum):
    """The document head's classes, in the order of its output."""

    PHOTO = "photo"
    DOCUMENT = "document"
    RECEIPT = "receipt"
    SCREENSHOT = "screenshot"


KINDS: Final = tuple(Kind)
PHOTO_SCORE: Final = 0.9
HARDLY_PHOTO_SCORE: Final = 0.05
READ_AREA: Final = 0.05
READ_LINES: Final = 3


@dataclass(frozen=True)
class KindFinding:
    """The kind of a picture and how sure the head is of it, 0..1."""

    kind: Kind
    score: float


def kind_of(probabilities: NDArray[np.float32]) -> KindFinding:
    """Read the document head's answer for one picture.

    Args:
        probabilities: [4], in the order of `KINDS`.
    """
    best = int(probabilities.argmax())
    return KindFinding(KINDS[best], float(probabilities[best]))


def wants_text(probabilities: NDArray[np.float32]) -> bool:
    """Whether a picture is not surely a photo, so that looking for text in it pays.

    On the sample roll every photo has 0.989 or more and everything else 0.158 or less; looking for text costs more
    than all the other questions about a picture together.

    Args:
        probabilities: [4], in the order of `KINDS`.
    """
    return float(probabilities[KINDS.index(Kind.PHOTO)]) < PHOTO_SCORE


def confirmed_kind(probabilities: NDArray[np.float32], *, lines: int, area: float) -> KindFinding:
    """Tells the kind by the document head and by the text that was found.

    What may be a photo and has no line of text on it is no paper; what the head takes for a photo but is full of text
    is no photo. Paper that the head is sure of may be too far away for lines to be found; a screen may have none.

    Args:
        probabilities: [4], in the order of `KINDS`; of a picture that `wants_text`.
        lines: how many lines of text there are.
        area: the share of the picture that they cover, 0..1.
    """
    photo, *others = (float(value) for value in probabilities)
    best = KINDS[1 + others.index(max(others))]
    paper = best in {Kind.DOCUMENT, Kind.RECEIPT}
    full = lines >= READ_LINES and area >= READ_AREA
    if (photo >= max(others) and not full) or (paper and not lines and photo > HARDLY_PHOTO_SCORE):
        return KindFinding(Kind.PHOTO, photo)
    return KindFinding(best, max(others) / sum(others))
