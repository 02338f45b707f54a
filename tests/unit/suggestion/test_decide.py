from datetime import timedelta
from uuid import uuid4

import pytest

from services.suggestion.domain.suggestions import Decision, State
from services.suggestion.errors import RequestIdReused, StateNotAllowed, SuggestionNotFound
from services.suggestion.operations.sweep import expire
from tests.unit.suggestion.harness import ALICE, POLICY, Harness
from tests.unit.suggestion.photos import DAY, series


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


async def test_a_dismissed_suggestion_is_offered_no_more(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.decide(Decision.DISMISS, opened.row.id)
    assert await harness.offered() == []
    assert await harness.refresh() == 0


async def test_a_dismissed_suggestion_cannot_be_saved(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.decide(Decision.DISMISS, opened.row.id)
    with pytest.raises(StateNotAllowed):
        await harness.decide(Decision.SAVE, opened.row.id)


async def test_a_suggestion_deleted_while_it_is_being_saved_is_not_told_of(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    harness.database.before_lock = lambda: harness.database.tables.suggestions.pop(opened.row.id)
    with pytest.raises(SuggestionNotFound):
        await harness.decide(Decision.SAVE, opened.row.id)
    assert harness.database.tables.published == []


async def test_a_restored_suggestion_stands_where_it_stood(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.read(opened)
    await harness.decide(Decision.DISMISS, opened.row.id)
    restored = await harness.decide(Decision.RESTORE, opened.row.id)
    assert restored.state is State.SEEN
    assert [each.row.id for each in await harness.offered()] == [opened.row.id]


async def test_what_is_like_a_restored_suggestion_is_offered_again(harness: Harness) -> None:
    for theme, days in (("old", 0), ("new", 3)):
        dogs = series(3, start=days * DAY, step=DAY, prefix=theme, tags={"dog": 0.9})
        harness.analyze(ALICE, [*harness.analyzed(ALICE), *dogs])
    await harness.refresh()
    (pets,) = [each for each in await harness.offered() if each.idea.theme == "pets"]
    await harness.decide(Decision.DISMISS, pets.row.id)
    await harness.refresh()
    assert not [each for each in await harness.offered() if each.idea.theme == "pets"]
    await harness.decide(Decision.RESTORE, pets.row.id)
    assert ALICE in harness.database.tables.dues
    await harness.refresh()
    assert [each.row.id for each in await harness.offered() if each.idea.theme == "pets"] == [pets.row.id]


async def test_a_restored_suggestion_is_offered_for_its_whole_time(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.decide(Decision.DISMISS, opened.row.id)
    await harness.clock.advance(POLICY.offer_life + timedelta(seconds=1))
    await harness.decide(Decision.RESTORE, opened.row.id)
    assert await expire(harness.dependencies) == 0


async def test_only_a_dismissal_can_be_taken_back(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    with pytest.raises(StateNotAllowed) as caught:
        await harness.decide(Decision.RESTORE, opened.row.id)
    assert caught.value.metadata == {"state": "READY", "decision": "restore"}


@pytest.mark.parametrize("first", list(Decision))
@pytest.mark.parametrize("second", list(Decision))
async def test_a_request_id_decides_once(harness: Harness, first: Decision, second: Decision) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    if first is Decision.RESTORE:
        await harness.decide(Decision.DISMISS, opened.row.id)
    request_id = uuid4()
    decided = await harness.decide(first, opened.row.id, request_id)
    if first is second:
        assert (await harness.decide(second, opened.row.id, request_id)).state is decided.state
    else:
        with pytest.raises(RequestIdReused):
            await harness.decide(second, opened.row.id, request_id)


async def test_a_decision_is_told_in_the_feed(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    before = harness.changes.store.heads[ALICE].sequence
    await harness.decide(Decision.DISMISS, opened.row.id)
    assert harness.changes.store.heads[ALICE].sequence == before + 1
    assert harness.told() == {f"suggestions/{opened.row.id}": True}
