from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.suggestion.domain.refresh_plan import THEME_COOL_DOWN, ExistingSuggestion, plan
from services.suggestion.domain.suggestions import Idea, Kind, State
from tests.unit.suggestion.photos import NOON


def idea(anchor: str, *media: str, theme: str = "", kind: Kind = Kind.COLLAGE) -> Idea:
    return Idea(kind=kind, anchor=anchor, media=media or (f"media/{anchor}",), score=0.5, theme=theme)


def existing(state: State, what: Idea, *, age: timedelta = timedelta(0)) -> ExistingSuggestion:
    return ExistingSuggestion(uuid4(), state, what, NOON - age)


def anchors(made: tuple[Idea, ...]) -> list[str]:
    return [each.anchor for each in made]


def test_what_is_there_already_is_not_made_again() -> None:
    found = plan([idea("a")], [existing(State.READY, idea("a"))], NOON)
    assert (found.make, found.remove) == ((), ())


def test_an_idea_whose_photos_changed_is_replaced() -> None:
    old = existing(State.SEEN, idea("a", "media/1", "media/2"))
    found = plan([idea("a", "media/1", "media/3")], [old], NOON)
    assert (anchors(found.make), found.remove) == (["a"], (old.id,))


def test_of_two_rows_of_one_idea_the_one_with_its_photos_stays() -> None:
    old, new = existing(State.READY, idea("a", "media/1")), existing(State.READY, idea("a", "media/2"))
    for rows in ([old, new], [new, old]):
        found = plan([idea("a", "media/2")], rows, NOON)
        assert (found.make, found.remove) == ((), (old.id,))


def test_of_two_rows_that_are_the_same_one_stays() -> None:
    twins = [existing(State.READY, idea("a")), existing(State.READY, idea("a"))]
    found = plan([idea("a")], twins, NOON)
    assert (found.make, len(found.remove)) == ((), 1)


def test_an_idea_that_no_longer_holds_is_removed() -> None:
    old = existing(State.READY, idea("gone"))
    assert plan([], [old], NOON).remove == (old.id,)


def test_a_saved_idea_is_left_alone_even_if_its_photos_changed() -> None:
    saved = existing(State.SAVED, idea("a", "media/1"))
    found = plan([idea("a", "media/2")], [saved], NOON)
    assert (found.make, found.remove) == ((), ())


def test_a_dismissed_idea_does_not_come_back() -> None:
    assert plan([idea("a", "media/2")], [existing(State.DISMISSED, idea("a"))], NOON).make == ()


def test_a_dismissed_theme_rests_and_then_returns() -> None:
    dismissed = existing(State.DISMISSED, idea("theme:old", theme="pets", kind=Kind.THEME))
    again = idea("theme:new", theme="pets", kind=Kind.THEME)
    assert plan([again], [dismissed], NOON).make == ()
    assert anchors(plan([again], [dismissed], NOON + THEME_COOL_DOWN).make) == ["theme:new"]


def test_two_ideas_of_nearly_the_same_photos_are_one() -> None:
    media = [f"media/{index}" for index in range(9)]
    assert anchors(plan([idea("a", *media), idea("b", *media[:8])], [], NOON).make) == ["a"]


def test_ids_are_those_of_the_rows() -> None:
    row = ExistingSuggestion(UUID(int=7), State.READY, idea("x"), NOON)
    assert plan([], [row], NOON).remove == (UUID(int=7),)


@pytest.mark.parametrize("state", [State.READY, State.SEEN, State.SAVED, State.DISMISSED, State.EXPIRED])
def test_what_holds_a_hidden_media_goes_whatever_its_state(state: State) -> None:
    old, other = existing(state, idea("a", "media/1", "media/2")), existing(State.SAVED, idea("b"))
    found = plan([idea("a", "media/2")], [old, other], NOON, {"media/1"})
    assert (anchors(found.make), found.remove) == (["a"], (old.id,))
