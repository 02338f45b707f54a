"""What a picture is: a photo, or a picture of something to read."""

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
SURE: Final = 0.9
"""From here on the head is believed whatever the text detector finds; in between, what is written decides."""
FEWEST_LINES: Final = 3
LEAST_AREA: Final = 0.05
"""Lines and the share of the picture that something to read has at the least: the detector finds one or two large
"lines" in one photo of three, which are none."""
MOST_LINES: Final = 32
"""So many lines of a picture are read, from the top: a line costs as much as all else that is done for a photo."""


@dataclass(frozen=True)
class KindFinding:
    """The kind of a picture and how sure the head is of it, 0..1."""

    kind: Kind
    score: float


def kind_of(probabilities: NDArray[np.float32]) -> KindFinding:
    """Reads the document head's answer for one picture.

    Args:
        probabilities: [4], in the order of `KINDS`.
    """
    best = int(probabilities.argmax())
    return KindFinding(KINDS[best], float(probabilities[best]))


def may_be_to_read(probabilities: NDArray[np.float32]) -> bool:
    """Tells whether it is worth looking for text: the head is not sure that the picture is a photo."""
    return bool(probabilities[KINDS.index(Kind.PHOTO)] < SURE)


def settled_kind(probabilities: NDArray[np.float32], *, lines: int, area: float) -> KindFinding:
    """Reads the document head's answer for one picture together with what the text detector found.

    Where the head is unsure, text makes a photo the likeliest of the other kinds, and no text makes a paper a photo; a
    screen needs no text.

    Args:
        probabilities: [4], in the order of `KINDS`.
        lines: found by the text detector.
        area: the share of the picture that they cover, 0..1.
    """
    finding = kind_of(probabilities)
    if finding.score >= SURE or finding.kind is Kind.SCREENSHOT:
        return finding
    has_text = lines >= FEWEST_LINES and area >= LEAST_AREA
    if has_text == (finding.kind is not Kind.PHOTO):
        return finding
    others = [KINDS.index(kind) for kind in Kind if (kind is Kind.PHOTO) != has_text]
    best = max(others, key=lambda index: float(probabilities[index]))
    return KindFinding(KINDS[best], float(probabilities[best]))
