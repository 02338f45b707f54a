import pytest

from services.suggestion.domain.suggestions import Decision, Standing, State, after

DISMISSED = Standing(State.DISMISSED, State.SEEN)


@pytest.mark.parametrize("standing", [DISMISSED, Standing(State.EXPIRED)])
def test_what_is_put_away_cannot_be_saved(standing: Standing) -> None:
    assert after(standing, Decision.SAVE) is None


@pytest.mark.parametrize(
    ("standing", "decision"), [(Standing(State.SAVED), Decision.SAVE), (DISMISSED, Decision.DISMISS)]
)
def test_deciding_the_same_again_changes_nothing(standing: Standing, decision: Decision) -> None:
    assert after(standing, decision) == standing


@pytest.mark.parametrize("state", [State.READY, State.SEEN, State.SAVED])
def test_a_restoration_leads_back_to_where_it_stood(state: State) -> None:
    dismissed = after(Standing(state), Decision.DISMISS)
    assert dismissed is not None
    assert after(dismissed, Decision.RESTORE) == Standing(state)


@pytest.mark.parametrize("state", [State.READY, State.SEEN, State.SAVED, State.EXPIRED])
def test_only_what_is_dismissed_can_be_restored(state: State) -> None:
    assert after(Standing(state), Decision.RESTORE) is None
