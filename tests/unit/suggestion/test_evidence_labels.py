import pytest

from services.chassis.languages import OFFERED
from services.suggestion.domain.evidence_labels import label
from services.suggestion.domain.ideas import find
from services.suggestion.domain.suggestions import Evidence, Signal
from tests.unit.suggestion.photos import photo, series, travels


@pytest.mark.parametrize(
    ("signal", "value", "english", "french"),
    [
        (Signal.TAG, "dog", "dog", "chien"),
        (Signal.TAG, "farm animal", "farm animal", "animal de la ferme"),
        (Signal.TIME, "1", "within 1 minute", "en 1 minute"),
        (Signal.TIME, "98", "within 98 minutes", "en 98 minutes"),
        (Signal.TIME, "200", "within 3 hours", "en 3 heures"),
        (Signal.PLACE, "1", "1 day away from home", "1 jour loin de chez vous"),
        (Signal.PLACE, "4", "4 days away from home", "4 jours loin de chez vous"),
        (Signal.FACES, "people", "people in the picture", "des personnes sur la photo"),
    ],
)
def test_evidence_is_said_in_both_languages(signal: Signal, value: str, english: str, french: str) -> None:
    evidence = Evidence(signal, value, 3, 1.0)
    assert (label(evidence, "en"), label(evidence, "fr")) == (english, french)


@pytest.mark.parametrize("language", OFFERED)
def test_all_that_ideas_say_has_words(language: str) -> None:
    clutter = [
        photo("s", kind="SCREENSHOT"), photo("b", 1, sharpness=0.1), photo("d", 2, duplicate_group="media/e"),
        photo("e", 3, duplicate_group="media/e"),
    ]  # fmt: skip
    roll = [*travels(), *clutter, *series(4, start=99999, prefix="dog", tags={"dog": 0.9})]
    labels = [label(evidence, language) for idea in find(roll) for evidence in idea.evidence]
    values = {evidence.value for idea in find(roll) for evidence in idea.evidence if evidence.signal is not Signal.TAG}
    assert values.isdisjoint(labels) or language == "en"
    assert all(labels)
