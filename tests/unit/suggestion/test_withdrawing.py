"""Ideas that places made go with LOCATION; what goes while ideas are in the making is not stored."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.chassis.errors import DependencyUnavailable
from services.keyring import DataKeyScope, PurgeCause, PurposeScope
from services.suggestion import refreshing
from services.suggestion.collection import Opened
from services.suggestion.domain import Act, Photo, Position
from services.suggestion.errors import RenditionNotFound, SuggestionNotFound
from tests.fakes.object_store import FakeObjectStore
from tests.unit.suggestion.photos import photo, series
from tests.unit.suggestion.world import ALICE, World, purge

DAY = 24 * 60
LYON, NAPLES = Position(45.76, 4.84), Position(40.85, 14.27)
QUIET, PATIENCE = timedelta(seconds=3), timedelta(minutes=1)


def travels() -> list[Photo]:
    """Returns five days at home, three days away, and a moment of five photos."""
    at_home = [photo(f"h{day}", (day - 20) * DAY, position=LYON) for day in range(5)]
    return [*series(5), *at_home, *series(12, start=-9 * DAY, step=DAY / 4, prefix="a", position=NAPLES)]


def is_trip(opened: Opened) -> bool:
    return opened.idea.theme == "trip"


@pytest.fixture
async def world() -> World:
    made = World()
    made.understand(ALICE, travels())
    made.keyring.grant(ALICE, "LOCATION")
    await made.refresh()
    return made


async def due(world: World) -> list[str]:
    async with world.database.transaction() as store:
        return await store.due(world.clock.now() + QUIET, QUIET, PATIENCE)


async def test_a_trip_is_sealed_for_location(world: World) -> None:
    offered = await world.offered()
    assert {each.row.purpose for each in offered if is_trip(each)} == {"LOCATION"}
    assert {each.row.purpose for each in offered if not is_trip(each)} <= {"CLOUD_PROCESSING"}


async def test_a_trip_goes_with_location_at_once(world: World) -> None:
    (trip,) = [each for each in await world.offered() if is_trip(each)]
    world.keyring.destroy_purpose(ALICE, "LOCATION")
    assert not any(map(is_trip, await world.offered()))
    with pytest.raises(SuggestionNotFound):
        await world.read(trip)


async def test_its_order_deletes_the_trip_and_makes_the_rest_anew(world: World) -> None:
    revision = world.keyring.destroy_purpose(ALICE, "LOCATION")
    assert revision is not None
    counts = await purge(world, PurposeScope("LOCATION", revision), PurgeCause.WITHDRAWAL)
    assert counts["suggestion.table.suggestion"] == 1
    assert {row.purpose for row in world.database.tables.suggestions.values()} <= {"CLOUD_PROCESSING"}
    assert await due(world) == [ALICE]


async def test_without_location_no_trip_is_stored_even_if_its_places_were_known(world: World) -> None:
    revision = world.keyring.destroy_purpose(ALICE, "LOCATION")
    assert revision is not None
    await purge(world, PurposeScope("LOCATION", revision), PurgeCause.WITHDRAWAL)
    await world.refresh()
    assert {row.purpose for row in world.database.tables.suggestions.values()} <= {"CLOUD_PROCESSING"}
    assert sorted(await world.stored_objects()) == sorted(world.objects_named())


async def test_erasing_one_photo_makes_the_other_ideas_due(world: World) -> None:
    destroyed = world.keyring.destroy_media(ALICE, "media/a3")
    await purge(world, DataKeyScope(tuple(destroyed)), PurgeCause.ERASURE)
    assert await due(world) == [ALICE]


class SlowObjectStore(FakeObjectStore):
    """Lets something happen while an object is on its way."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    async def put(self, bucket: str, name: str, data: bytes) -> None:
        await super().put(bucket, name, data)
        await self._meanwhile()


async def test_an_idea_whose_photo_is_erased_while_it_is_stored_leaves_nothing() -> None:
    world = World()
    world.understand(ALICE, series(5))

    async def erase() -> None:
        destroyed = world.keyring.destroy_media(ALICE, "media/p0")
        await purge(world, DataKeyScope(tuple(destroyed)), PurgeCause.ERASURE)

    objects = SlowObjectStore(erase)
    assert await refreshing.refresh(replace(world.workshop, objects=objects), subject=ALICE) == 0
    assert world.database.tables.suggestions == {}
    assert [name async for name in objects.list("renditions")] == []


async def test_ideas_stay_when_the_new_ones_cannot_be_made(world: World) -> None:
    before = {each.row.id for each in await world.offered()}
    world.understand(ALICE, series(5, prefix="new"))
    world.analysis.failing_after = 2
    with pytest.raises(DependencyUnavailable):
        await world.refresh()
    assert before <= {each.row.id for each in await world.offered()}
    world.analysis.failing_after = None
    await world.refresh()
    assert not before & {each.row.id for each in await world.offered()}


async def test_a_withdrawn_idea_cannot_be_told_from_one_that_never_was(world: World) -> None:
    (opened, *_) = await world.offered()
    world.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
    with pytest.raises(SuggestionNotFound):
        await world.act(Act.SAVE, opened.row.id)
    with pytest.raises(SuggestionNotFound):
        await world.act(Act.SAVE, UUID(int=1))


async def test_an_idea_deleted_while_it_is_being_saved_is_not_told_of(world: World) -> None:
    (opened, *_) = await world.offered()
    world.database.before_lock = lambda: world.database.tables.suggestions.pop(opened.row.id)
    with pytest.raises(SuggestionNotFound):
        await world.act(Act.SAVE, opened.row.id)
    assert world.database.tables.published == []


async def test_a_picture_whose_key_is_gone_is_not_found(world: World) -> None:
    opened = next(each for each in await world.offered() if not is_trip(each))
    await world.keyring.destroy(subject=ALICE, ids=[str(opened.renditions[0].data_key_id)])
    with pytest.raises(RenditionNotFound):
        await world.read(opened)
