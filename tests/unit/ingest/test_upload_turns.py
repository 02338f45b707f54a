import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from services.chassis.limits.fair_turns import FairTurns
from services.chassis.seal import CHUNK_SIZE
from services.ingest.domain.media import Announcement
from services.ingest.operations.receive_upload import start_and_receive
from services.ingest.operations.start_upload import start_upload
from tests.unit.ingest.harness import ALICE, Harness, announce, pieces, stream
from tests.unit.ingest.pictures import motion_photo

LARGE = motion_photo(64, 48) + bytes(CHUNK_SIZE)


@pytest.fixture
def taken(harness: Harness) -> FairTurns:
    harness.dependencies = replace(harness.dependencies, steps=FairTurns(1))
    return harness.dependencies.steps


def starting(harness: Harness, announcement: Announcement) -> Coroutine[Any, Any, object]:
    return start_upload(harness.dependencies, subject=ALICE, request_id=uuid4(), announcement=announcement)


def uploading(harness: Harness, announcement: Announcement) -> Coroutine[Any, Any, object]:
    chunks: AsyncIterator[bytes] = stream(*pieces(LARGE))
    return start_and_receive(
        harness.dependencies, subject=ALICE, request_id=uuid4(), announcement=announcement, chunks=chunks
    )


@pytest.mark.parametrize("work", [starting, uploading])
async def test_work_on_an_upload_waits_for_a_turn(
    harness: Harness, taken: FairTurns, work: Callable[[Harness, Announcement], Coroutine[Any, Any, object]]
) -> None:
    async with taken.turn():
        working = asyncio.create_task(work(harness, announce(harness.clock.now(), LARGE)))
        await asyncio.sleep(0.01)
        assert not working.done()
    await working


async def test_every_step_of_an_upload_leaves_its_turn_to_the_next(harness: Harness, taken: FairTurns) -> None:
    uploads = (uploading(harness, announce(harness.clock.now(), LARGE + bytes([number]))) for number in range(3))
    await asyncio.gather(*uploads, return_exceptions=True)
    async with asyncio.timeout(5), taken.turn():
        pass
