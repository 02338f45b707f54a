"""Losing a process, a server or a message costs time, and never work."""

import pytest

from pellicule.analysis.v1 import analysis_pb2
from tests.integration.analysis.ground import Ground
from tests.integration.analysis.test_consent import PORTRAIT, left_over
from tests.integration.analysis.test_whole_way import about, settled
from tests.integration.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_killed_worker_loses_nothing(ground: Ground, person: str) -> None:
    await ground.grant(person, "CLOUD_PROCESSING", "FACE_GROUPING")
    for number in range(12):
        await ground.store(person, PORTRAIT, metadata=about(number * 600))
    reader = await ground.as_person(person)
    await eventually(reader.progress, lambda seen: seen[1] >= 2)
    await ground.analysis.kill()
    # The dead worker's claims run out by themselves; nobody has a minute to wait for that here.
    await ground.rows("UPDATE media SET claim_end_time = now() WHERE claim_id IS NOT NULL RETURNING 1")
    await ground.analysis.start()
    await settled(reader, 12)
    await eventually(lambda: left_over(ground, person), lambda seen: seen == (12, 0))


async def test_a_worker_that_is_stopped_hands_its_work_on_at_once(ground: Ground, person: str) -> None:
    await ground.grant(person, "CLOUD_PROCESSING")
    for number in range(12):
        await ground.store(person, PORTRAIT, metadata=about(number * 600))
    reader = await ground.as_person(person)
    await eventually(reader.progress, lambda seen: seen[1] >= 1)
    await ground.analysis.stop()
    claimed = await ground.rows("SELECT count(*) FROM media WHERE claim_id IS NOT NULL")
    await ground.analysis.start()
    assert claimed == [(0,)]
    await settled(reader, 12)


async def test_dead_models_delay_work_and_lose_none(ground: Ground, person: str) -> None:
    await ground.grant(person, "CLOUD_PROCESSING", "FACE_GROUPING")
    ground.servers.triton.kill_models()
    for number in range(6):
        await ground.store(person, PORTRAIT, metadata=about(number * 600))
    reader = await ground.as_person(person)
    await eventually(reader.progress, lambda seen: seen == (6, 0, 0))
    await ground.servers.triton.stop()
    await ground.servers.triton.start()
    await settled(reader, 6)
    assert {each.state for each in await reader.everything()} == {analysis_pb2.ANALYSIS_STATE_DONE}


async def test_without_retention_nothing_is_done_and_nothing_lost(ground: Ground, person: str) -> None:
    await ground.grant(person, "CLOUD_PROCESSING")
    await ground.analysis.stop()
    for number in range(3):
        await ground.store(person, PORTRAIT, metadata=about(number * 600))
    await ground.retention.stop()
    try:
        await ground.analysis.start()
        rows = await eventually(
            lambda: ground.rows(f"SELECT state FROM media WHERE subject = '{ground.subject(person)}'"),
            lambda seen: len(seen) == 3,
        )
        assert set(rows) == {("PENDING",)}
    finally:
        await ground.retention.start()
    await settled(await ground.as_person(person), 3)
