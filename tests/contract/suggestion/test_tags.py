from inference.vision.tags import tag_groups
from services.suggestion.domain.themes import CELEBRATION, THEMES


def test_themes_speak_of_tags_that_the_classifier_gives() -> None:
    spoken = CELEBRATION.tags.union(*(theme.tags for theme in THEMES))
    assert spoken - tag_groups().keys() == set()
