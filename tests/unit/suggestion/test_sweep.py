from datetime import timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from services.suggestion.domain.suggestions import Decision, State
from services.suggestion.operations import sweep
from services.suggestion.operations.sweep import DECISION_LIFE, ORPHAN_GRACE, TOMBSTONE_LIFE
from tests.fakes.walks import FakeWalks
from tests.unit.suggestion.harness import ALICE, POLICY, Harness
from tests.unit.suggestion.photos import series


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.analyze(ALICE, series(5))
    return made


async def test_a_suggestion_without_a_decision_expires(harness: Harness) -> None:
    await harness.refresh()
    await harness.clock.advance(POLICY.offer_life + timedelta(seconds=1))
    assert await sweep.expire(harness.dependencies) == 1
    assert {row.state for row in harness.database.tables.suggestions.values()} == {State.EXPIRED}


async def test_an_object_that_no_row_names_is_removed_after_a_while(harness: Harness) -> None:
    await harness.refresh()
    await harness.objects.put("renditions", "stray", b"sealed")
    orphans = sweep.orphan_sweep(harness.dependencies, FakeWalks())
    assert await orphans.run() == 0
    await harness.clock.advance(ORPHAN_GRACE)
    with capture_logs() as logs:
        assert await orphans.run() == 1
    assert [line["event"] for line in logs] == ["orphans_removed"]
    assert sorted(await harness.stored_objects()) == sorted(harness.objects_named())


async def test_old_requests_and_tombstones_are_forgotten(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.decide(Decision.SAVE, opened.row.id)
    async with harness.database.transaction() as store:
        await store.purges.tombstone_keys([str(uuid4())], harness.clock.now())
    assert await sweep.forget(harness.dependencies) == 0
    await harness.clock.advance(DECISION_LIFE + timedelta(seconds=1))
    assert await sweep.forget(harness.dependencies) == 1
    await harness.clock.advance(TOMBSTONE_LIFE)
    assert await sweep.forget(harness.dependencies) == 1


async def test_what_expires_is_told_in_the_feed(harness: Harness) -> None:
    await harness.refresh()
    before = harness.changes.store.heads[ALICE].sequence
    await harness.clock.advance(POLICY.offer_life + timedelta(seconds=1))
    await sweep.expire(harness.dependencies)
    assert harness.changes.store.heads[ALICE].sequence == before + 1
