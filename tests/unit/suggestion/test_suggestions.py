import pytest

from services.suggestion.domain.suggestions import Decision, State, after


@pytest.mark.parametrize("state", [State.DISMISSED, State.EXPIRED])
def test_the_life_cycle_never_leads_back(state: State) -> None:
    assert after(state, Decision.SAVE) is None


def test_deciding_the_same_again_changes_nothing() -> None:
    assert after(State.SAVED, Decision.SAVE) is State.SAVED
    assert after(State.DISMISSED, Decision.DISMISS) is State.DISMISSED
