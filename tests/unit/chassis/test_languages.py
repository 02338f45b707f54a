import pytest

from services.chassis.languages import match_language


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("", "en"),
        ("en", "en"),
        ("EN", "en"),
        ("en-US", "en"),
        ("en_GB", "en"),
        ("en-x-private", "en"),
        ("en-u-ca-buddhist", "en"),
        ("fr-CA", "fr"),
        ("fr_FR", "fr"),
        ("de", None),
        ("eng", None),
        ("e", None),
        ("fr-", None),
        ("fr--CA", None),
        ("fr-CA ", None),
        ("fr.UTF-8", None),
        ("-", None),
    ],
)
def test_a_code_is_matched_by_lookup(code: str, found: str | None) -> None:
    assert match_language(code) == found


def test_the_longest_match_wins() -> None:
    assert match_language("pt-br-x-old", ("en", "pt", "pt-BR")) == "pt-BR"


def test_the_first_offer_answers_a_caller_who_names_none() -> None:
    assert match_language("", ("fr", "en")) == "fr"
