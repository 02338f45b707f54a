"""Losing a process, a server or a message costs time, and never work."""

import pytest

from pellicule.analysis.v1 import analysis_pb2
from tests.integration.analysis.harness import Harness
from tests.integration.analysis.test_consent import PORTRAIT, left_over
from tests.integration.analysis.test_whole_way import about, finished
from tests.integration.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_killed_worker_loses_nothing(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "FACE_GROUPING")
    for number in range(12):
        await harness.store(person, PORTRAIT, metadata=about(number * 600))
    reader = await harness.as_person(person)
    await eventually(reader.progress, lambda seen: seen[1] >= 2)
    await harness.analysis.kill()
    claims = [claim for (claim,) in await harness.rows("SELECT claim_id FROM media WHERE claim_id IS NOT NULL")]
    assert claims
    await harness.analysis.start()
    names = ", ".join(f"'{claim}'" for claim in claims)
    left = f"SELECT 1 FROM media WHERE claim_id IN ({names})"
    await eventually(lambda: harness.rows(left), lambda seen: seen == [], seconds=30)  # a lease is a minute
    await finished(reader, 12)
    await eventually(lambda: left_over(harness, person), lambda seen: seen == (12, 0))


async def test_a_worker_that_is_stopped_hands_its_work_on_at_once(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    for number in range(12):
        await harness.store(person, PORTRAIT, metadata=about(number * 600))
    reader = await harness.as_person(person)
    await eventually(reader.progress, lambda seen: seen[1] >= 1)
    await harness.analysis.stop()
    claimed = await harness.rows("SELECT count(*) FROM media WHERE claim_id IS NOT NULL")
    await harness.analysis.start()
    assert claimed == [(0,)]
    await finished(reader, 12)


async def test_dead_models_delay_work_and_lose_none(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "FACE_GROUPING")
    harness.servers.triton.kill_models()
    for number in range(6):
        await harness.store(person, PORTRAIT, metadata=about(number * 600))
    reader = await harness.as_person(person)
    await eventually(reader.progress, lambda seen: seen == (6, 0, 0))
    await harness.servers.triton.stop()
    await harness.servers.triton.start()
    await finished(reader, 6)
    assert {each.state for each in await reader.everything()} == {analysis_pb2.ANALYSIS_STATE_DONE}


async def test_without_retention_nothing_is_done_and_nothing_lost(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    await harness.analysis.stop()
    for number in range(3):
        await harness.store(person, PORTRAIT, metadata=about(number * 600))
    await harness.retention.stop()
    try:
        await harness.analysis.start()
        rows = await eventually(
            lambda: harness.rows(f"SELECT state FROM media WHERE subject = '{harness.subject(person)}'"),
            lambda seen: len(seen) == 3,
        )
        assert set(rows) == {("PENDING",)}
    finally:
        await harness.retention.start()
    await finished(await harness.as_person(person), 3)
