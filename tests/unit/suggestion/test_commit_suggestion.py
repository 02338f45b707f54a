import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from services.chassis.seal import open_object
from services.keyring import DataKeyScope, PurgeCause, Purpose, artefact_aad
from services.suggestion.operations.refresh import refresh
from tests.fakes.object_store import FakeObjectStore
from tests.unit.suggestion.harness import ALICE, Harness, is_trip, purge
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


async def test_the_row_says_nothing_of_what_the_suggestion_is_about(harness: Harness) -> None:
    await harness.refresh()
    (row,) = harness.database.tables.suggestions.values()
    assert b"moment" not in row.sealed
    assert b"media/" not in row.sealed


async def test_objects_are_sealed(harness: Harness) -> None:
    await harness.refresh()
    for name in await harness.stored_objects():
        assert not (await harness.objects.get("renditions", name)).startswith(b"\xff\xd8")


async def test_a_result_under_the_fence_is_refused_and_leaves_nothing(harness: Harness) -> None:
    async with harness.database.locked(ALICE) as store:
        await store.purges.raise_fence(ALICE, "CLOUD_PROCESSING", 99)
    assert await harness.refresh() == 0
    assert await harness.stored_objects() == []


async def test_a_rendition_opens_under_its_own_key_alone(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    first, second = opened.renditions[:2]
    keys = await harness.keyring.open(
        subject=ALICE, purpose="CLOUD_PROCESSING", ids=[str(first.data_key_id), str(second.data_key_id)]
    )
    sealed = await harness.objects.get("renditions", first.object)
    assert (
        open_object(keys[str(first.data_key_id)], sealed, artefact_aad(first.data_key_id, Purpose.CLOUD_PROCESSING))[:2]
        == b"\xff\xd8"
    )
    assert keys[str(first.data_key_id)] != keys[str(second.data_key_id)]


async def test_a_trip_is_sealed_for_location(traveller: Harness) -> None:
    offered = await traveller.offered()
    assert {each.row.purpose for each in offered if is_trip(each)} == {"LOCATION"}
    assert {each.row.purpose for each in offered if not is_trip(each)} <= {"CLOUD_PROCESSING"}


class SlowObjectStore(FakeObjectStore):
    """Lets something happen while an object is on its way."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    async def put(self, bucket: str, name: str, data: bytes) -> None:
        await super().put(bucket, name, data)
        await self._meanwhile()


async def test_a_suggestion_whose_photo_is_erased_while_it_is_stored_leaves_nothing() -> None:
    harness = Harness()
    harness.analyze(ALICE, series(5))

    async def erase() -> None:
        destroyed = harness.keyring.destroy_media(ALICE, "media/p0")
        await purge(harness, DataKeyScope(tuple(destroyed)), PurgeCause.ERASURE)

    objects = SlowObjectStore(erase)
    assert await refresh(replace(harness.dependencies, objects=objects), subject=ALICE) == 0
    assert harness.database.tables.suggestions == {}
    assert [name async for name in objects.list("renditions")] == []


async def test_a_call_that_ends_while_objects_are_put_leaves_none() -> None:
    harness = Harness()
    harness.analyze(ALICE, series(5))
    putting = asyncio.Event()

    async def hang() -> None:
        putting.set()
        await asyncio.Event().wait()

    dependencies = replace(harness.dependencies, objects=SlowObjectStore(hang))
    call = asyncio.create_task(refresh(dependencies, subject=ALICE))
    await putting.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await dependencies.cleanup.finish()
    assert [name async for name in dependencies.objects.list("renditions")] == []
