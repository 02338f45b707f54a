"""The language that a person is answered in."""

import pytest

from services.cli.languages import language_of
from services.cli.output import UsageWrong


@pytest.mark.parametrize(("asked", "language"), [("fr", "fr"), ("fr-CA", "fr"), ("EN_us", "en")])
def test_the_language_asked_for_is_spoken(asked: str, language: str) -> None:
    assert language_of(asked, {"LANG": "de_DE.UTF-8"}) == language


@pytest.mark.parametrize("asked", ["de", "français", "-"])
def test_a_language_that_is_not_spoken_is_refused(asked: str) -> None:
    with pytest.raises(UsageWrong, match="choose from en, fr") as caught:
        language_of(asked, {})

    assert (caught.value.reason, caught.value.field) == ("LANGUAGE_UNKNOWN", "--language")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_BE@euro"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "fr_CA"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": ""}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_environment_decides_where_nothing_is_asked_for(environment: dict[str, str], language: str) -> None:
    assert language_of("", environment) == language
