import pytest

from services.suggestion.domain.geometry import Box, Position
from services.suggestion.domain.ideas import find
from services.suggestion.domain.photos import Photo
from services.suggestion.domain.suggestions import Kind, Signal
from services.suggestion.domain.themes import THEMES, Theme
from tests.unit.suggestion.photos import photo, series

DAY = 24 * 60


def kinds(photos: list[Photo]) -> set[tuple[Kind, str]]:
    return {(idea.kind, idea.theme) for idea in find(photos)}


def test_a_moment_of_a_few_photos_gives_a_collage() -> None:
    (idea,) = find(series(4))
    assert idea.kind is Kind.COLLAGE
    assert idea.media == ("media/p0", "media/p1", "media/p2", "media/p3")


def test_screenshots_receipts_blurred_and_dark_shots_never_get_into_a_collage() -> None:
    bad = [
        photo("s", 1, kind="SCREENSHOT"),
        photo("r", 2, kind="RECEIPT"),
        photo("d", 3, kind="DOCUMENT"),
        photo("b", 4, sharpness=0.05),
        photo("k", 6, exposure=0.05),
    ]
    shown = {media for idea in find([*series(4), *bad]) if idea.kind is not Kind.TIDY_UP for media in idea.media}
    assert shown == {"media/p0", "media/p1", "media/p2", "media/p3"}


def test_no_idea_is_made_of_a_sensitive_picture_however_good_or_bad_it_is() -> None:
    sensitive = [
        *series(4, start=2, prefix="good", tags={"dog": 0.9}, is_sensitive=True),
        *(photo(f"clutter{index}", index, kind="SCREENSHOT", is_sensitive=True) for index in range(4)),
        photo("gem", 3 * DAY, sharpness=1.0, exposure=1.0, favorite=True, is_sensitive=True),
    ]
    shown = {media for idea in find([*series(4), *sensitive]) for media in idea.media}
    assert shown == {"media/p0", "media/p1", "media/p2", "media/p3"}


def test_clutter_is_offered_as_a_tidy_up() -> None:
    clutter = [photo(f"s{index}", index, kind="SCREENSHOT") for index in range(4)]
    assert (Kind.TIDY_UP, "") in kinds(clutter)


def test_tags_across_moments_make_a_theme_with_its_evidence() -> None:
    dogs = series(4, step=DAY, tags={"dog": 0.8})
    (idea,) = [idea for idea in find(dogs) if idea.kind is Kind.THEME]
    assert idea.theme == "pets"
    assert (Signal.TAG, "dog", 4) in [(row.signal, row.value, row.media_count) for row in idea.evidence]


def test_weak_tags_make_no_theme() -> None:
    assert not [idea for idea in find(series(6, tags={"dog": 0.05})) if idea.kind is Kind.THEME]


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_theme_is_found_where_photos_show_it_and_not_where_they_nearly_do(theme: Theme) -> None:
    tag = min(theme.tags)
    shown, nearly = (series(4, step=DAY, tags={tag: score}) for score in (theme.threshold, theme.threshold - 0.01))

    assert (Kind.THEME, theme.name) in kinds(shown)
    assert (Kind.THEME, theme.name) not in kinds(nearly)


def test_days_away_from_home_make_a_trip() -> None:
    at_home = [photo(f"h{day}", day * DAY, position=Position(45.76, 4.84)) for day in range(5)]
    away = series(8, start=7 * DAY, step=DAY / 4, position=Position(40.85, 14.27))
    assert (Kind.THEME, "trip") in kinds([*at_home, *away])


def test_a_good_photo_alone_in_its_moment_is_a_gem() -> None:
    gem = photo("gem", 3 * DAY, sharpness=1.0, exposure=1.0, faces=(Box(0.4, 0.2, 0.3, 0.4),))
    assert [idea.media for idea in find([*series(4), gem]) if idea.kind is Kind.HIDDEN_GEM] == [("media/gem",)]


def test_nothing_gives_nothing() -> None:
    assert find([]) == []


def test_the_order_in_which_photos_arrive_changes_nothing() -> None:
    photos = [*series(5), *series(4, start=600, prefix="q", tags={"cat": 0.7})]
    assert find(photos) == find(list(reversed(photos)))


def test_cake_and_people_make_a_celebration() -> None:
    people = series(4, faces=(Box(0.4, 0.2, 0.2, 0.3),))
    cake = photo("cake", 22, tags={"celebration": 0.5}, embedding=(0.0, 1.0))
    assert (Kind.THEME, "celebration") in kinds([*people, cake])


def test_people_alone_are_no_celebration() -> None:
    assert (Kind.THEME, "celebration") not in kinds(series(5, faces=(Box(0.4, 0.2, 0.2, 0.3),)))


def test_a_hidden_photo_is_in_no_idea_not_even_a_tidy_up() -> None:
    clutter = [photo(f"s{index}", 3000 + index, kind="SCREENSHOT", is_hidden=index == 0) for index in range(4)]
    hidden = photo("hidden", 11, is_hidden=True, embedding=(1.0, 0.0))
    media = {name for idea in find([*series(5), hidden, *clutter]) for name in idea.media}
    assert "media/s1" in media
    assert media.isdisjoint({"media/hidden", "media/s0"})
