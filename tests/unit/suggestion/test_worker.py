from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from pellicule.internal.analysis.v1 import media_analyzed_pb2
from services.chassis.events import IncomingEvent
from services.suggestion.worker import REST, Worker
from tests.unit.suggestion.harness import ALICE, BOB, QUIET, Harness
from tests.unit.suggestion.photos import NOON, series


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.analyze(ALICE, series(5))
    return made


@pytest.fixture
def worker(harness: Harness) -> Worker:
    return Worker(harness.dependencies)


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


async def test_one_who_fails_rests_and_keeps_nobody_waiting(harness: Harness, worker: Worker) -> None:
    harness.analyze(BOB, series(5))
    await worker.hear(analyzed())
    await worker.hear(analyzed(BOB))
    await harness.clock.advance(QUIET)
    harness.analysis.failing_after = 0
    with capture_logs() as logs:
        await worker.refresh_due()
        await worker.refresh_due()
    assert [(line["subject"], line["reason"]) for line in logs] == [
        (ALICE, "DEPENDENCY_UNAVAILABLE"),
        (BOB, "DEPENDENCY_UNAVAILABLE"),
    ]
    harness.analysis.failing_after = None
    await harness.clock.advance(REST)
    await worker.refresh_due()
    assert len(await harness.offered()) == len(await harness.offered(BOB)) == 1
