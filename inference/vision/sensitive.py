"""Sensitivity: what the sensitive content classifier's output means."""

from enum import StrEnum
from typing import Final

REVIEW_SCORE: Final = 0.5
EXCLUDE_SCORE: Final = 0.8


class Rating(StrEnum):
    """What may be done with a picture."""

    CLEAR = "clear"
    REVIEW = "review"
    EXCLUDE = "exclude"


def rating_of(probability: float) -> Rating:
    """Rates a picture.

    Args:
        probability: that it is not safe, 0..1.

    Returns:
        EXCLUDE: to be kept out of everything that is offered; REVIEW: to be offered to its owner alone, who decides.
    """
    if probability >= EXCLUDE_SCORE:
        return Rating.EXCLUDE
    return Rating.REVIEW if probability >= REVIEW_SCORE else Rating.CLEAR
