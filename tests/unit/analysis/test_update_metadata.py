"""What owners change, while nothing or everything is known of a media."""

import pytest

from services.analysis.domain.media import MediaState
from services.analysis.errors import MediaNotFound
from services.analysis.operations.update_metadata import refresh_records, update_metadata
from services.keyring import DataKeyScope
from tests.unit.analysis.harness import ANN, Harness, portrait


@pytest.fixture
def harness() -> Harness:
    harness = Harness()
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    return harness


async def shown(harness: Harness) -> tuple[bool, bool]:
    """Return whether the only media is a favourite, and whether it is hidden."""
    scene = (await harness.only()).scene
    assert scene is not None
    return scene.metadata.favorite, scene.metadata.hidden


async def test_what_an_owner_changes_is_found_without_a_model_being_asked(harness: Harness) -> None:
    media = await harness.bring_in()
    await harness.work()
    asked = len(harness.models.asked)
    await update_metadata(await harness.update(media, favorite=True, hidden=True), harness.dependencies)
    assert (await shown(harness), len(harness.models.asked)) == ((True, True), asked)
    assert harness.store.events == [(media.media, MediaState.DONE)] * 2


async def test_an_older_update_changes_nothing(harness: Harness) -> None:
    media = await harness.bring_in()
    await harness.work()
    newer, older = await harness.update(media, revision=3, favorite=True), await harness.update(media, hidden=True)
    for update in (newer, older, newer):
        await update_metadata(update, harness.dependencies)
    assert await shown(harness) == (True, False)


async def test_what_is_changed_before_the_analysis_is_in_its_findings(harness: Harness) -> None:
    media = await harness.bring_in()
    await update_metadata(await harness.update(media, favorite=True), harness.dependencies)
    await harness.work()
    assert await shown(harness) == (True, False)


async def test_what_is_changed_during_the_analysis_is_in_its_findings(harness: Harness) -> None:
    media = await harness.bring_in()
    update = await harness.update(media, hidden=True)
    answered = harness.models.classify

    async def meanwhile(square):  # type: ignore[no-untyped-def]
        await update_metadata(update, harness.dependencies)
        return await answered(square)

    harness.models.classify = meanwhile  # type: ignore[method-assign]
    await harness.work()
    assert await shown(harness) == (False, True)


async def test_what_a_dead_process_left_is_caught_up_with(harness: Harness) -> None:
    media = await harness.bring_in()
    await harness.work()
    await harness.store.update_metadata(await harness.update(media, favorite=True))
    await refresh_records([], harness.dependencies)
    assert await shown(harness) == (False, False)
    await harness.worker.sweep_metadata()
    assert await shown(harness) == (True, False)


async def test_a_parked_media_stays_parked(harness: Harness) -> None:
    media = await harness.bring_in(b"text")
    await harness.work()
    await update_metadata(await harness.update(media, favorite=True), harness.dependencies)
    found = await harness.only()
    assert (found.state, found.parked is not None) == (MediaState.PARKED, True)


async def test_an_update_that_comes_before_its_media_is_delivered_again(harness: Harness) -> None:
    media = await harness.bring_in()
    update = await harness.update(media, favorite=True)
    harness.store._media.clear()
    with pytest.raises(MediaNotFound):
        await update_metadata(update, harness.dependencies)


@pytest.mark.parametrize("erased", [True, False], ids=["erased", "withdrawn"])
async def test_an_update_of_what_is_gone_is_dropped(harness: Harness, erased: bool) -> None:
    media = await harness.bring_in()
    update = await harness.update(media, favorite=True)
    await (harness.erase(media) if erased else harness.withdraw("CLOUD_PROCESSING"))
    await update_metadata(update, harness.dependencies)
    assert await harness.store.statuses(ANN) == []


async def test_an_original_is_analysed_in_place_of_the_reduced_copy(harness: Harness) -> None:
    media = await harness.bring_in(portrait(60))
    await harness.work()
    before = await harness.previews()
    original = await harness.replace(media, portrait(200))
    found = await harness.only()
    assert (found.state, found.scene is not None, "" in found.models) == (MediaState.DONE, True, False)
    await harness.work()
    assert (await harness.only()).state is MediaState.DONE
    assert before.isdisjoint(await harness.previews())
    await harness.keyring.destroy(subject=ANN, ids=[media.data_key_id])
    await update_metadata(await harness.update(original, revision=3, hidden=True), harness.dependencies)
    assert await shown(harness) == (False, True)


async def test_the_end_of_the_reduced_copys_key_leaves_the_original_alone(harness: Harness) -> None:
    media = await harness.bring_in()
    (claim,) = await harness.store.claim(limit=1, now=harness.clock.now(), until=harness.clock.now())
    await harness.replace(media, portrait())
    await harness.keyring.destroy(subject=ANN, ids=[media.data_key_id])
    await harness.order(DataKeyScope((media.data_key_id,)))
    assert claim.stored == media
    await harness.work()
    assert (await harness.only()).state is MediaState.DONE
