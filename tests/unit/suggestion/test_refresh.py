import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from services.chassis.errors import DependencyUnavailable
from services.keyring import PurgeCause, PurposeNotGranted, PurposeScope
from services.suggestion.domain.suggestions import Decision, Kind
from services.suggestion.operations.refresh import refresh
from services.suggestion.ports import AnalyzedPhoto
from tests.fakes.object_store import FakeObjectStore
from tests.unit.suggestion.harness import ALICE, Harness, purge
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


async def test_photos_become_a_collage_in_three_layouts(harness: Harness) -> None:
    assert await harness.refresh() == 1
    (opened,) = await harness.offered()
    assert opened.idea.kind is Kind.COLLAGE
    assert len({row.layout for row in opened.renditions}) == 3


async def test_a_second_refresh_makes_nothing(harness: Harness) -> None:
    await harness.refresh()
    assert await harness.refresh() == 0


async def test_a_suggestion_lasts_no_longer_than_its_first_photo_to_go(harness: Harness) -> None:
    soon = harness.clock.now() + timedelta(days=2)
    first = harness.analysis.analyzed[ALICE][0]
    harness.analysis.analyzed[ALICE][0] = AnalyzedPhoto(first.photo, soon)
    await harness.refresh()
    assert [opened.row.delete_time for opened in await harness.offered()] == [soon]


async def test_without_consent_nothing_is_made(harness: Harness) -> None:
    harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
    with pytest.raises(PurposeNotGranted):
        await harness.refresh()
    assert await harness.stored_objects() == []


async def test_a_photo_erased_meanwhile_makes_no_suggestion(harness: Harness) -> None:
    harness.keyring.destroy_media(ALICE, "media/p2")
    assert await harness.refresh() == 0
    assert harness.database.tables.suggestions == {}


async def test_a_replaced_suggestion_leaves_no_object_behind(harness: Harness) -> None:
    await harness.refresh()
    harness.analyze(ALICE, series(4))
    await harness.refresh()
    (opened,) = await harness.offered()
    assert sorted(await harness.stored_objects()) == sorted(row.object for row in opened.renditions)


async def test_suggestions_stay_when_the_new_ones_cannot_be_made(traveller: Harness) -> None:
    before = {each.row.id for each in await traveller.offered()}
    traveller.analyze(ALICE, series(5, prefix="new"))
    traveller.analysis.failing_after = 2
    with pytest.raises(DependencyUnavailable):
        await traveller.refresh()
    assert before <= {each.row.id for each in await traveller.offered()}
    traveller.analysis.failing_after = None
    await traveller.refresh()
    assert not before & {each.row.id for each in await traveller.offered()}


async def test_without_location_no_trip_is_stored_even_if_its_places_were_known(traveller: Harness) -> None:
    revision = traveller.keyring.destroy_purpose(ALICE, "LOCATION")
    assert revision is not None
    await purge(traveller, PurposeScope("LOCATION", revision), PurgeCause.WITHDRAWAL)
    await traveller.refresh()
    assert {row.purpose for row in traveller.database.tables.suggestions.values()} <= {"CLOUD_PROCESSING"}
    assert sorted(await traveller.stored_objects()) == sorted(traveller.objects_named())


async def test_a_preview_that_cannot_be_read_costs_its_suggestion_alone(harness: Harness) -> None:
    later = series(5, start=24 * 60, prefix="later")
    harness.analyze(ALICE, [*series(5), *later])
    harness.analysis.broken = {"media/later2"}
    assert await harness.refresh() == 1


async def test_a_suggestion_whose_photo_is_hidden_is_made_anew_without_it(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.decide(Decision.SAVE, opened.row.id)
    first, *rest = harness.analyzed(ALICE)
    harness.analyze(ALICE, [replace(first, is_hidden=True), *rest])
    assert await harness.refresh() == 1
    (remade,) = await harness.offered()
    assert first.media not in remade.idea.media
    assert sorted(await harness.stored_objects()) == sorted(row.object for row in remade.renditions)


async def test_what_is_made_and_removed_is_told_in_the_feed(harness: Harness) -> None:
    await harness.refresh()
    (old,) = await harness.offered()
    harness.analyze(ALICE, series(4))
    await harness.refresh()
    (new,) = await harness.offered()
    assert harness.told() == {f"suggestions/{old.row.id}": False, f"suggestions/{new.row.id}": True}


class SlowObjectStore(FakeObjectStore):
    """Deletes once it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.deleting, self.go_on = asyncio.Event(), asyncio.Event()

    async def delete(self, bucket: str, names: Sequence[str]) -> None:
        self.deleting.set()
        await self.go_on.wait()
        await super().delete(bucket, names)


async def test_a_suggestion_is_removed_whole_although_the_call_ends(harness: Harness) -> None:
    objects = SlowObjectStore()
    dependencies = replace(harness.dependencies, objects=objects)
    await refresh(dependencies, subject=ALICE)
    (old,) = await harness.offered()
    harness.analyze(ALICE, series(4))
    call = asyncio.create_task(refresh(dependencies, subject=ALICE))
    await objects.deleting.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    objects.go_on.set()
    await dependencies.cleanup.finish()
    assert old.row.id not in harness.database.tables.suggestions
    assert sorted(name for _, name in objects.objects) == sorted(harness.objects_named())
