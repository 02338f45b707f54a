from datetime import timedelta

from tests.unit.ingest.harness import Harness, listed


async def test_an_object_that_no_row_names_is_removed_after_the_grace_time(harness: Harness) -> None:
    await harness.keep()
    await harness.objects.put("media", "orphan", b"sealed")
    assert await harness.sweep.reconcile() == 0
    await harness.clock.advance(timedelta(minutes=59))
    assert await harness.sweep.reconcile() == 0
    await harness.clock.advance(timedelta(minutes=1))
    assert await harness.sweep.reconcile() == 1
    assert "orphan" not in harness.object_names
    assert len(harness.object_names) == 1


async def test_an_object_that_is_named_in_time_stays(harness: Harness) -> None:
    media_id = await harness.keep()
    key_id = harness.tables.media[media_id].data_key_id
    segments = harness.tables.segments.pop(key_id)
    await harness.sweep.reconcile()
    harness.tables.segments[key_id] = segments
    await harness.clock.advance(timedelta(hours=2))
    assert await harness.sweep.reconcile() == 0


async def test_complete_uploads_are_forgotten_and_their_media_stay(harness: Harness) -> None:
    media_id = await harness.keep()
    await harness.clock.advance(timedelta(hours=24))
    assert await harness.sweep.expire_uploads() == 1
    assert harness.tables.uploads == {}
    assert await listed(harness) == [media_id]
