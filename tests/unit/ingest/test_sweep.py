from datetime import timedelta

from services.chassis.orphans import ROUND_PAUSE
from tests.unit.ingest.harness import Harness, listed


async def test_an_object_that_no_row_names_is_removed_after_the_grace_time(harness: Harness) -> None:
    await harness.keep()
    await harness.objects.put("media", "orphan", b"sealed")
    assert await harness.orphans.run() == 0
    await harness.clock.advance(timedelta(minutes=59))
    assert await harness.orphans.run() == 0
    await harness.clock.advance(ROUND_PAUSE)
    assert await harness.orphans.run() == 1
    assert "orphan" not in harness.object_names
    assert len(harness.object_names) == 1


async def test_an_object_that_is_named_in_time_stays(harness: Harness) -> None:
    media_id = await harness.keep()
    key_id = harness.tables.media[media_id].data_key_id
    segments = harness.tables.segments.pop(key_id)
    await harness.orphans.run()
    harness.tables.segments[key_id] = segments
    await harness.clock.advance(timedelta(hours=2))
    assert await harness.orphans.run() == 0


async def test_complete_uploads_are_forgotten_and_their_media_stay(harness: Harness) -> None:
    media_id = await harness.keep()
    await harness.clock.advance(timedelta(hours=24))
    assert await harness.sweep.expire_uploads() == 1
    assert harness.tables.uploads == {}
    assert await listed(harness) == [media_id]
