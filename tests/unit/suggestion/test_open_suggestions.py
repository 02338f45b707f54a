from uuid import UUID

import pytest

from services.suggestion.domain.suggestions import Decision
from services.suggestion.errors import SuggestionNotFound
from tests.unit.suggestion.harness import ALICE, BOB, Harness, is_trip
from tests.unit.suggestion.photos import series, travels


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.analyze(ALICE, series(5))
    return made


@pytest.fixture
async def traveller() -> Harness:
    made = Harness()
    made.analyze(ALICE, travels())
    made.keyring.grant(ALICE, "LOCATION")
    await made.refresh()
    return made


async def test_nobody_else_finds_it(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    harness.keyring.grant(BOB, "CLOUD_PROCESSING")
    assert await harness.offered(BOB) == []
    with pytest.raises(SuggestionNotFound):
        await harness.read(opened, subject=BOB)
    with pytest.raises(SuggestionNotFound):
        await harness.decide(Decision.SAVE, opened.row.id, subject=BOB)


async def test_an_altered_record_is_as_good_as_gone(harness: Harness) -> None:
    await harness.refresh()
    (row,) = harness.database.tables.suggestions.values()
    broken = bytes([*row.sealed[:-1], row.sealed[-1] ^ 1])
    harness.database.tables.suggestions[row.id] = type(row)(**{**vars(row), "sealed": broken})
    assert await harness.offered() == []


async def test_a_trip_goes_with_location_at_once(traveller: Harness) -> None:
    (trip,) = [each for each in await traveller.offered() if is_trip(each)]
    traveller.keyring.destroy_purpose(ALICE, "LOCATION")
    assert not any(map(is_trip, await traveller.offered()))
    with pytest.raises(SuggestionNotFound):
        await traveller.read(trip)


async def test_a_withdrawn_suggestion_cannot_be_told_from_one_that_never_was(traveller: Harness) -> None:
    (opened, *_) = await traveller.offered()
    traveller.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
    with pytest.raises(SuggestionNotFound):
        await traveller.decide(Decision.SAVE, opened.row.id)
    with pytest.raises(SuggestionNotFound):
        await traveller.decide(Decision.SAVE, UUID(int=1))
