import io
from datetime import timedelta
from uuid import uuid4

import pytest
from PIL import Image

from services.chassis.seal import open_object
from services.keyring import DataKeyScope, PurgeCause, PurposeNotGranted, PurposeScope, SubjectScope
from services.suggestion import collection
from services.suggestion.domain import Act, Kind, State
from services.suggestion.errors import RequestIdReused, StateNotAllowed, SuggestionNotFound
from services.suggestion.ports import Understood
from tests.unit.suggestion.photos import series
from tests.unit.suggestion.world import ALICE, BOB, World, purge


@pytest.fixture
def world() -> World:
    made = World()
    made.understand(ALICE, series(5))
    return made


class TestMaking:
    async def test_photos_become_a_collage_in_three_layouts(self, world: World) -> None:
        assert await world.refresh() == 1
        (opened,) = await world.offered()
        assert opened.idea.kind is Kind.COLLAGE
        assert len({row.layout for row in opened.renditions}) == 3

    async def test_a_rendition_is_a_picture_of_the_size_it_says(self, world: World) -> None:
        await world.refresh()
        (opened,) = await world.offered()
        picture = Image.open(io.BytesIO(await world.read(opened)))
        assert picture.size == (opened.renditions[0].width, opened.renditions[0].height)
        assert "exif" not in picture.info

    async def test_a_second_refresh_makes_nothing(self, world: World) -> None:
        await world.refresh()
        assert await world.refresh() == 0

    async def test_objects_are_sealed(self, world: World) -> None:
        await world.refresh()
        for name in await world.stored_objects():
            assert not (await world.objects.get("renditions", name)).startswith(b"\xff\xd8")

    async def test_the_row_says_nothing_of_what_the_idea_is_about(self, world: World) -> None:
        await world.refresh()
        (row,) = world.database.tables.suggestions.values()
        assert b"moment" not in row.sealed
        assert b"media/" not in row.sealed

    async def test_an_idea_lasts_no_longer_than_its_first_photo_to_go(self, world: World) -> None:
        soon = world.clock.now() + timedelta(days=2)
        first = world.analysis.understood[ALICE][0]
        world.analysis.understood[ALICE][0] = Understood(first.photo, soon)
        await world.refresh()
        assert [opened.row.delete_time for opened in await world.offered()] == [soon]

    async def test_without_consent_nothing_is_made(self, world: World) -> None:
        world.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
        with pytest.raises(PurposeNotGranted):
            await world.refresh()
        assert await world.stored_objects() == []

    async def test_a_photo_erased_meanwhile_makes_no_idea(self, world: World) -> None:
        world.keyring.destroy_media(ALICE, "media/p2")
        assert await world.refresh() == 0
        assert world.database.tables.suggestions == {}

    async def test_a_replaced_idea_leaves_no_object_behind(self, world: World) -> None:
        await world.refresh()
        world.understand(ALICE, series(4))
        await world.refresh()
        (opened,) = await world.offered()
        assert sorted(await world.stored_objects()) == sorted(row.object for row in opened.renditions)

    async def test_a_result_under_the_fence_is_refused_and_leaves_nothing(self, world: World) -> None:
        async with world.database.locked(ALICE) as store:
            await store.raise_fence(ALICE, "CLOUD_PROCESSING", 99)
        assert await world.refresh() == 0
        assert await world.stored_objects() == []


class TestActing:
    async def test_reading_a_rendition_makes_an_idea_seen(self, world: World) -> None:
        await world.refresh()
        (opened,) = await world.offered()
        await world.read(opened)
        assert [each.state for each in await world.offered()] == [State.SEEN]

    async def test_saving_is_told_once(self, world: World) -> None:
        await world.refresh()
        (opened,) = await world.offered()
        request_id = uuid4()
        await world.act(Act.SAVE, opened.row.id, request_id)
        saved = await world.act(Act.SAVE, opened.row.id, request_id)
        assert saved.state is State.SAVED
        assert len(world.database.tables.published) == 1

    async def test_a_dismissed_idea_is_offered_no_more(self, world: World) -> None:
        await world.refresh()
        (opened,) = await world.offered()
        await world.act(Act.DISMISS, opened.row.id)
        assert await world.offered() == []
        assert await world.refresh() == 0

    async def test_a_dismissed_idea_cannot_be_saved(self, world: World) -> None:
        await world.refresh()
        (opened,) = await world.offered()
        await world.act(Act.DISMISS, opened.row.id)
        with pytest.raises(StateNotAllowed):
            await world.act(Act.SAVE, opened.row.id)

    async def test_a_request_id_stands_for_one_request(self, world: World) -> None:
        await world.refresh()
        (opened,) = await world.offered()
        request_id = uuid4()
        await world.act(Act.SAVE, opened.row.id, request_id)
        with pytest.raises(RequestIdReused):
            await world.act(Act.DISMISS, opened.row.id, request_id)

    async def test_nobody_else_finds_it(self, world: World) -> None:
        await world.refresh()
        (opened,) = await world.offered()
        world.keyring.grant(BOB, "CLOUD_PROCESSING")
        assert await world.offered(BOB) == []
        with pytest.raises(SuggestionNotFound):
            await world.read(opened, subject=BOB)
        with pytest.raises(SuggestionNotFound):
            await world.act(Act.SAVE, opened.row.id, subject=BOB)


class TestPurging:
    async def test_erasing_one_photo_hides_the_idea_at_once_and_purges_it(self, world: World) -> None:
        await world.refresh()
        destroyed = world.keyring.destroy_media(ALICE, "media/p0")
        assert await world.offered() == []
        counts = await purge(world, DataKeyScope(tuple(destroyed)), PurgeCause.ERASURE)
        assert counts["suggestion.table.suggestion"] == 1
        assert counts["suggestion.bucket.renditions"] == 3
        assert await world.stored_objects() == []

    async def test_a_withdrawal_purges_what_was_made_before_it(self, world: World) -> None:
        await world.refresh()
        revision = world.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
        assert revision is not None
        counts = await purge(world, PurposeScope("CLOUD_PROCESSING", revision), PurgeCause.WITHDRAWAL)
        assert counts["suggestion.table.suggestion"] == 1
        assert world.database.tables.renditions == {}

    async def test_withdrawing_another_purpose_keeps_the_ideas(self, world: World) -> None:
        await world.refresh()
        await purge(world, PurposeScope("FACE_GROUPING", 99), PurgeCause.WITHDRAWAL)
        assert len(await world.offered()) == 1

    async def test_an_order_carried_out_twice_is_the_same_as_once(self, world: World) -> None:
        await world.refresh()
        scope = SubjectScope(99, world.clock.now())
        await purge(world, scope, PurgeCause.ERASURE)
        assert set((await purge(world, scope, PurgeCause.ERASURE)).values()) == {0}

    async def test_erasing_a_person_leaves_no_row_but_the_fence(self, world: World) -> None:
        await world.refresh()
        (opened,) = await world.offered()
        await world.act(Act.SAVE, opened.row.id)
        async with world.database.transaction() as store:
            await store.mark_due(ALICE, world.clock.now())
        await purge(world, SubjectScope(99, world.clock.now()), PurgeCause.ERASURE)
        tables = world.database.tables
        assert (tables.suggestions, tables.renditions, tables.acts, tables.dues) == ({}, {}, {}, {})


async def test_an_altered_record_is_as_good_as_gone(world: World) -> None:
    await world.refresh()
    (row,) = world.database.tables.suggestions.values()
    broken = bytes([*row.sealed[:-1], row.sealed[-1] ^ 1])
    world.database.tables.suggestions[row.id] = type(row)(**{**vars(row), "sealed": broken})
    assert await world.offered() == []


async def test_a_rendition_opens_under_its_own_key_alone(world: World) -> None:
    await world.refresh()
    (opened,) = await world.offered()
    first, second = opened.renditions[:2]
    keys = await world.keyring.open(
        subject=ALICE, purpose="CLOUD_PROCESSING", ids=[str(first.data_key_id), str(second.data_key_id)]
    )
    sealed = await world.objects.get("renditions", first.object)
    assert (
        open_object(keys[str(first.data_key_id)], sealed, collection.associated(first.data_key_id))[:2] == b"\xff\xd8"
    )
    assert keys[str(first.data_key_id)] != keys[str(second.data_key_id)]
