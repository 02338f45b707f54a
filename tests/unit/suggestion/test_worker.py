from dataclasses import replace
from uuid import uuid4

import pytest

from pellicule.internal.analysis.v1 import media_analyzed_pb2
from services.chassis.errors import DependencyUnavailable
from services.chassis.failed_work.set_aside import FIRST_PAUSE
from services.chassis.messaging.events import IncomingEvent
from services.suggestion.drawing.layouts import Page
from services.suggestion.drawing.rendering import Pictures, RenderedPage
from services.suggestion.worker import Worker
from tests.fakes.set_aside import FakeSetAside
from tests.fakes.walks import FakeWalks
from tests.unit.suggestion.harness import ALICE, BOB, QUIET, Harness, sketch
from tests.unit.suggestion.photos import NOON, series


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.analyze(ALICE, series(5))
    return made


@pytest.fixture
def set_aside() -> FakeSetAside:
    return FakeSetAside()


@pytest.fixture
def worker(harness: Harness, set_aside: FakeSetAside) -> Worker:
    return Worker(harness.dependencies, set_aside, FakeWalks())


def analyzed(subject: str = ALICE) -> IncomingEvent:
    body = media_analyzed_pb2.MediaAnalyzed(subject=subject, media="media/p0").SerializeToString()
    return IncomingEvent(
        str(uuid4()), "pellicule.internal.analysis.v1.MediaAnalyzed", "/analysis", "media/p0", NOON, body
    )


async def is_due(harness: Harness, subject: str = ALICE) -> bool:
    return subject in harness.database.tables.dues


async def test_suggestions_are_made_once_it_is_quiet(harness: Harness, worker: Worker) -> None:
    await worker.hear(analyzed())
    await worker.refresh_due()
    assert await harness.offered() == []
    await harness.clock.advance(QUIET)
    await worker.refresh_due()
    assert len(await harness.offered()) == 1
    assert not await is_due(harness)


async def test_an_event_that_comes_twice_makes_due_once(harness: Harness, worker: Worker) -> None:
    event = analyzed()
    await worker.hear(event)
    await harness.clock.advance(QUIET)
    await worker.refresh_due()
    await worker.hear(event)
    assert not await is_due(harness)


async def test_who_has_withdrawn_is_due_no_more(harness: Harness, worker: Worker) -> None:
    await worker.hear(analyzed(BOB))
    await harness.clock.advance(QUIET)
    await worker.refresh_due()
    assert not await is_due(harness, BOB)


async def test_an_outage_costs_nobody_their_turn(harness: Harness, worker: Worker, set_aside: FakeSetAside) -> None:
    harness.analyze(BOB, series(5))
    await worker.hear(analyzed())
    await worker.hear(analyzed(BOB))
    await harness.clock.advance(QUIET)
    harness.analysis.failing_after = 0
    with pytest.raises(DependencyUnavailable):
        await worker.refresh_due()
    harness.analysis.failing_after = None
    await worker.refresh_due()
    assert len(await harness.offered()) == len(await harness.offered(BOB)) == 1
    assert set_aside.items == {}


async def test_one_whose_photos_cannot_be_drawn_keeps_nobody_waiting(harness: Harness, set_aside: FakeSetAside) -> None:
    failures = [KeyError("no such layout")]

    def draw(page: Page, pictures: Pictures) -> RenderedPage:
        if failures:
            raise failures.pop()
        return sketch(page, pictures)

    worker = Worker(replace(harness.dependencies, draw=draw), set_aside, FakeWalks())
    harness.analyze(BOB, series(5))
    await worker.hear(analyzed())
    await worker.hear(analyzed(BOB))
    await harness.clock.advance(QUIET)
    await worker.refresh_due()
    assert len(await harness.offered(BOB)) == 1
    assert [(each.item, each.reason) for each in set_aside.items.values()] == [(ALICE, "KeyError")]
    await harness.clock.advance(FIRST_PAUSE)
    await worker.refresh_due()
    assert len(await harness.offered()) == 1
    assert set_aside.items == {}
