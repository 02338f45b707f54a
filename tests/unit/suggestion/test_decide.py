from uuid import uuid4

import pytest

from services.suggestion.domain.suggestions import Decision, State
from services.suggestion.errors import RequestIdReused, StateNotAllowed, SuggestionNotFound
from tests.unit.suggestion.harness import ALICE, Harness
from tests.unit.suggestion.photos import series


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.analyze(ALICE, series(5))
    return made


async def test_saving_is_told_once(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    request_id = uuid4()
    await harness.decide(Decision.SAVE, opened.row.id, request_id)
    saved = await harness.decide(Decision.SAVE, opened.row.id, request_id)
    assert saved.state is State.SAVED
    assert len(harness.database.tables.published) == 1


async def test_a_dismissed_idea_is_offered_no_more(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.decide(Decision.DISMISS, opened.row.id)
    assert await harness.offered() == []
    assert await harness.refresh() == 0


async def test_a_dismissed_idea_cannot_be_saved(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.decide(Decision.DISMISS, opened.row.id)
    with pytest.raises(StateNotAllowed):
        await harness.decide(Decision.SAVE, opened.row.id)


async def test_a_request_id_stands_for_one_request(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    request_id = uuid4()
    await harness.decide(Decision.SAVE, opened.row.id, request_id)
    with pytest.raises(RequestIdReused):
        await harness.decide(Decision.DISMISS, opened.row.id, request_id)


async def test_an_idea_deleted_while_it_is_being_saved_is_not_told_of(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    harness.database.before_lock = lambda: harness.database.tables.suggestions.pop(opened.row.id)
    with pytest.raises(SuggestionNotFound):
        await harness.decide(Decision.SAVE, opened.row.id)
    assert harness.database.tables.published == []
