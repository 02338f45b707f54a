from dataclasses import replace
from datetime import datetime

import pytest

from services.suggestion.domain.suggestions import Evidence, Idea, Kind, Signal
from services.suggestion.domain.themes import THEMES
from services.suggestion.domain.titles import LANGUAGES, reason, title

IDEA = Idea(
    kind=Kind.COLLAGE,
    anchor="moment:2026-11-14T15",
    media=("media/a", "media/b", "media/c"),
    score=0.7,
    start=datetime(2026, 11, 14, 15, 2),  # noqa: DTZ001 - a wall clock
    end=datetime(2026, 11, 14, 16, 40),  # noqa: DTZ001
    evidence=(Evidence(Signal.TIME, "98", 3, 1.0),),
)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "Saturday afternoon, 14 November"), ("fr", "Samedi après-midi, 14 novembre")],
)
def test_a_moment_is_named_after_its_time(language: str, expected: str) -> None:
    assert title(IDEA, language) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "3 of your best shots from 14 November"), ("fr", "3 de vos plus belles photos, du 14 novembre")],
)
def test_the_reason_says_how_many_and_when(language: str, expected: str) -> None:
    assert reason(IDEA, language) == expected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", [*(theme.name for theme in THEMES), "trip"])
def test_every_theme_has_a_title_of_its_own(language: str, theme: str) -> None:
    named = title(replace(IDEA, kind=Kind.THEME, theme=theme), language)
    assert named != title(replace(IDEA, kind=Kind.THEME), language)
