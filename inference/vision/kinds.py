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
