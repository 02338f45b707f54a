"""What goes on by itself."""

from datetime import timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from pellicule.analysis.v1 import analysis_pb2
from services.chassis.events import IncomingEvent
from services.suggestion.domain import Act, State
from services.suggestion.settings import Settings
from services.suggestion.worker import ACT_LIFE, REST, TOMBSTONE_LIFE, Worker
from tests.unit.suggestion.photos import NOON, series
from tests.unit.suggestion.world import ALICE, BOB, World

SETTINGS = Settings.model_construct(quiet_seconds=3.0, patience_seconds=60.0, idea_days=14)
QUIET = timedelta(seconds=3)


@pytest.fixture
def world() -> World:
    made = World()
    made.understand(ALICE, series(5))
    return made


@pytest.fixture
def worker(world: World) -> Worker:
    return Worker(world.workshop, SETTINGS)


def understood(subject: str = ALICE) -> IncomingEvent:
    body = analysis_pb2.MediaAnalyzed(subject=subject, media="media/p0").SerializeToString()
    return IncomingEvent(str(uuid4()), "pellicule.analysis.v1.MediaAnalyzed", "/analysis", "media/p0", NOON, body)


async def is_due(world: World, subject: str = ALICE) -> bool:
    return subject in world.database.tables.dues


async def test_ideas_are_made_once_it_is_quiet(world: World, worker: Worker) -> None:
    await worker.hear(understood())
    await worker.make_what_is_due()
    assert await world.offered() == []
    await world.clock.advance(QUIET)
    await worker.make_what_is_due()
    assert len(await world.offered()) == 1
    assert not await is_due(world)


async def test_an_event_that_comes_twice_makes_due_once(world: World, worker: Worker) -> None:
    event = understood()
    await worker.hear(event)
    await world.clock.advance(QUIET)
    await worker.make_what_is_due()
    await worker.hear(event)
    assert not await is_due(world)


async def test_who_has_withdrawn_is_due_no_more(world: World, worker: Worker) -> None:
    await worker.hear(understood(BOB))
    await world.clock.advance(QUIET)
    await worker.make_what_is_due()
    assert not await is_due(world, BOB)


async def test_one_who_fails_rests_and_keeps_nobody_waiting(world: World, worker: Worker) -> None:
    world.understand(BOB, series(5))
    await worker.hear(understood())
    await worker.hear(understood(BOB))
    await world.clock.advance(QUIET)
    world.analysis.failing_after = 0
    with capture_logs() as logs:
        await worker.make_what_is_due()
        await worker.make_what_is_due()
    assert [(line["subject"], line["reason"]) for line in logs] == [
        (ALICE, "DEPENDENCY_UNAVAILABLE"),
        (BOB, "DEPENDENCY_UNAVAILABLE"),
    ]
    world.analysis.failing_after = None
    await world.clock.advance(REST)
    await worker.make_what_is_due()
    assert len(await world.offered()) == len(await world.offered(BOB)) == 1


async def test_a_preview_that_cannot_be_read_costs_its_idea_alone(world: World, worker: Worker) -> None:
    later = series(5, start=24 * 60, prefix="later")
    world.understand(ALICE, [*series(5), *later])
    world.analysis.broken = {"media/later2"}
    assert await world.refresh() == 1


async def test_an_idea_that_nobody_looked_at_expires(world: World, worker: Worker) -> None:
    await world.refresh()
    await world.clock.advance(SETTINGS.idea_life + timedelta(seconds=1))
    assert await worker.expire() == 1
    assert {row.state for row in world.database.tables.suggestions.values()} == {State.EXPIRED}


async def test_an_object_that_no_row_names_is_removed_at_the_second_look(world: World, worker: Worker) -> None:
    await world.refresh()
    await world.objects.put("renditions", "stray", b"sealed")
    assert await worker.reconcile() == 0
    with capture_logs() as logs:
        assert await worker.reconcile() == 1
    assert [line["event"] for line in logs] == ["orphans_removed"]
    assert sorted(await world.stored_objects()) == sorted(world.objects_named())


async def test_old_requests_and_tombstones_are_forgotten(world: World, worker: Worker) -> None:
    await world.refresh()
    (opened,) = await world.offered()
    await world.act(Act.SAVE, opened.row.id)
    async with world.database.transaction() as store:
        await store.bury_keys([str(uuid4())], world.clock.now())
    assert await worker.forget() == 0
    await world.clock.advance(ACT_LIFE + timedelta(seconds=1))
    assert await worker.forget() == 1
    await world.clock.advance(TOMBSTONE_LIFE)
    assert await worker.forget() == 1
