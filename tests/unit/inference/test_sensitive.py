"""Probabilities become levels, at the thresholds that the manifest names."""

import pytest

from inference.model_build.manifest import shipped_model
from inference.vision.sensitive import EXCLUDE_SCORE, REVIEW_SCORE, Rating, rating_of


@pytest.mark.parametrize(
    ("probability", "level"),
    [
        (0.0, Rating.CLEAR),
        (0.4999, Rating.CLEAR),
        (0.5, Rating.REVIEW),
        (0.7999, Rating.REVIEW),
        (0.8, Rating.EXCLUDE),
        (1.0, Rating.EXCLUDE),
    ],
)
def test_a_threshold_belongs_to_the_level_above_it(probability: float, level: Rating) -> None:
    assert rating_of(probability) is level


def test_the_thresholds_are_those_of_the_manifest() -> None:
    assert shipped_model("sensitive_content").manifest.thresholds == {"review": REVIEW_SCORE, "exclude": EXCLUDE_SCORE}
