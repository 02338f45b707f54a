import pytest

from inference.vision.tags import tag_groups
from services.analysis.domain.tag_labels import tag_label
from services.chassis.languages import OFFERED
from services.suggestion.domain.evidence_labels import label
from services.suggestion.domain.suggestions import Evidence, Signal
from services.suggestion.domain.themes import CELEBRATION, THEMES

SPOKEN = CELEBRATION.tags.union(*(theme.tags for theme in THEMES))


def test_themes_speak_of_tags_that_the_classifier_gives() -> None:
    assert SPOKEN - tag_groups().keys() == set()


@pytest.mark.parametrize("language", OFFERED)
def test_a_tag_has_one_name_for_people_in_both_services(language: str) -> None:
    said = {tag: label(Evidence(Signal.TAG, tag, 1, 1.0), language) for tag in SPOKEN}
    assert said == {tag: tag_label(tag, language) for tag in SPOKEN}
