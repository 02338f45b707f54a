import pytest

from services.keyring import DataKeyScope, PurgeCause, PurposeScope, SubjectScope
from services.suggestion.domain.suggestions import Decision
from tests.unit.suggestion.harness import ALICE, POLICY, Harness, purge
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


async def due(harness: Harness) -> list[str]:
    async with harness.database.transaction() as store:
        found = await store.refreshes.due(harness.clock.now() + POLICY.quiet, POLICY.quiet, POLICY.patience)
    return [each.subject for each in found]


async def test_erasing_one_photo_hides_the_suggestion_at_once_and_purges_it(harness: Harness) -> None:
    await harness.refresh()
    destroyed = harness.keyring.destroy_media(ALICE, "media/p0")
    assert await harness.offered() == []
    counts = await purge(harness, DataKeyScope(tuple(destroyed)), PurgeCause.ERASURE)
    assert counts["suggestion.table.suggestion"] == 1
    assert counts["suggestion.bucket.renditions"] == 3
    assert await harness.stored_objects() == []


async def test_a_withdrawal_purges_what_was_made_before_it(harness: Harness) -> None:
    await harness.refresh()
    revision = harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
    assert revision is not None
    counts = await purge(harness, PurposeScope("CLOUD_PROCESSING", revision), PurgeCause.WITHDRAWAL)
    assert counts["suggestion.table.suggestion"] == 1
    assert harness.database.tables.renditions == {}


async def test_withdrawing_another_purpose_keeps_the_suggestions(harness: Harness) -> None:
    await harness.refresh()
    await purge(harness, PurposeScope("FACE_GROUPING", 99), PurgeCause.WITHDRAWAL)
    assert len(await harness.offered()) == 1


async def test_an_order_carried_out_twice_is_the_same_as_once(harness: Harness) -> None:
    await harness.refresh()
    scope = SubjectScope(99, harness.clock.now())
    await purge(harness, scope, PurgeCause.ERASURE)
    assert set((await purge(harness, scope, PurgeCause.ERASURE)).values()) == {0}


async def test_erasing_a_person_leaves_no_row_but_the_fence(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.decide(Decision.SAVE, opened.row.id)
    async with harness.database.transaction() as store:
        await store.refreshes.mark_due(ALICE, harness.clock.now())
    await purge(harness, SubjectScope(99, harness.clock.now()), PurgeCause.ERASURE)
    tables = harness.database.tables
    assert (tables.suggestions, tables.renditions, tables.decisions, tables.dues) == ({}, {}, {}, {})


async def test_its_order_deletes_the_trip_and_makes_the_rest_anew(traveller: Harness) -> None:
    revision = traveller.keyring.destroy_purpose(ALICE, "LOCATION")
    assert revision is not None
    counts = await purge(traveller, PurposeScope("LOCATION", revision), PurgeCause.WITHDRAWAL)
    assert counts["suggestion.table.suggestion"] == 1
    assert {row.purpose for row in traveller.database.tables.suggestions.values()} <= {"CLOUD_PROCESSING"}
    assert await due(traveller) == [ALICE]


async def test_erasing_one_photo_makes_the_other_suggestions_due(traveller: Harness) -> None:
    destroyed = traveller.keyring.destroy_media(ALICE, "media/a3")
    await purge(traveller, DataKeyScope(tuple(destroyed)), PurgeCause.ERASURE)
    assert await due(traveller) == [ALICE]


async def test_what_a_purge_deletes_is_told_in_the_feed(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    destroyed = harness.keyring.destroy_media(ALICE, "media/p0")
    await purge(harness, DataKeyScope(tuple(destroyed)), PurgeCause.ERASURE)
    assert harness.told() == {f"suggestions/{opened.row.id}": False}


async def test_the_feed_goes_with_the_account(harness: Harness) -> None:
    await harness.refresh()
    await purge(harness, SubjectScope(99, harness.clock.now(), account=True), PurgeCause.ERASURE)
    assert ALICE not in harness.changes.store.heads
