"""Words find pictures: one's own, as long as they can be opened, and nothing that is excluded."""

from datetime import timedelta

import numpy as np
import pytest

from inference.vision.search import label_sentences
from services.analysis import searching
from services.analysis.errors import ModelAnswerBroken, ModelBusy, ModelFault, ModelMissing, ModelUnavailable
from services.analysis.matching import Match
from services.chassis.errors import DependencyUnavailable, FieldInvalid
from services.keyring import PurposeNotGranted
from tests.fakes.models import SERVED, WRITTEN
from tests.unit.analysis.test_understanding import picture
from tests.unit.analysis.world import ANN, BOB, World

CAT, MOUNTAIN = label_sentences()[281], label_sentences()[970]


@pytest.fixture
async def world() -> World:
    world = World()
    world.models.served = {**SERVED, "text_encoder": "text_encoder-own"}
    await world.worker.sweep_models()
    for person in (ANN, BOB):
        world.keyring.grant(person, "CLOUD_PROCESSING")
    return world


async def search(world: World, query: str, subject: str = ANN) -> list[Match]:
    return await searching.search(subject, query, library=world.store, keyring=world.keyring, models=world.models)


async def test_a_picture_is_found_by_what_it_shows(world: World) -> None:
    cat, mountain = await world.bring_in(picture(120)), await world.bring_in(picture(10))
    await world.work()
    assert [match.media for match in await search(world, CAT)] == [cat.media, mountain.media]
    assert [match.media for match in await search(world, MOUNTAIN)] == [mountain.media, cat.media]
    assert await search(world, "xyzzy") == []


async def test_a_paper_is_found_by_what_is_written_on_it(world: World) -> None:
    await world.bring_in(picture(120))
    paper = await world.bring_in(picture(255, lines=4))
    await world.work()
    (match,) = await search(world, "total")
    assert (match.media, set(match.lines), match.score > 0.8) == (paper.media, {WRITTEN}, True)


async def test_nobody_finds_the_pictures_of_others(world: World) -> None:
    await world.bring_in(picture(120), subject=BOB)
    await world.work()
    assert (await search(world, CAT), len(await search(world, CAT, BOB))) == ([], 1)


async def test_what_is_excluded_is_not_found(world: World) -> None:
    await world.bring_in(picture(120, intimate=0.98))
    await world.work()
    assert await search(world, CAT) == []


async def test_what_was_erased_is_not_found(world: World) -> None:
    media = await world.bring_in(picture(120))
    await world.work()
    world.keyring.destroy_media(ANN, media.name)
    assert await search(world, CAT) == []


async def test_a_search_needs_consent(world: World) -> None:
    world.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
    with pytest.raises(PurposeNotGranted):
        await search(world, CAT)


async def test_pictures_that_another_encoder_described_are_found_again_once_they_are_described_anew(
    world: World,
) -> None:
    media = await world.bring_in(picture(120))
    await world.work()
    world.models.served = {**world.models.served, "text_encoder": "text_encoder-other"}
    assert await search(world, CAT) == []
    await world.worker.sweep_models()
    await world.work()
    assert [match.media for match in await search(world, CAT)] == [media.media]


async def test_labels_are_asked_for_once(world: World) -> None:
    for _ in range(3):
        await world.bring_in(picture(120))
    await world.work()
    assert world.models.asked.count("text_encoder") == 1


@pytest.mark.parametrize("query", ["\U0001f415", "?!", "..."])
async def test_a_query_without_a_word_is_refused_with_the_remedy(world: World, query: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        await search(world, query)
    assert refused.value.violations[0].field == "query"


@pytest.mark.parametrize(
    "failure",
    [
        ModelUnavailable("text_encoder", "gone", timedelta(seconds=3)),
        ModelBusy("text_encoder", "full"),
        ModelMissing("text_encoder", "unknown"),
        ModelAnswerBroken("text_encoder", "NaN"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_without_the_inference_server_a_search_says_when_to_come_back(world: World, failure: ModelFault) -> None:
    world.models.failure = failure
    with pytest.raises(DependencyUnavailable) as refused:
        await search(world, CAT)
    assert refused.value.metadata == {"dependency": "inference-server"}
    assert refused.value.retry_after is not None
    if isinstance(failure, ModelUnavailable):
        assert refused.value.retry_after == failure.retry_after


async def test_what_a_picture_means_survives_its_record_well_enough_to_compare(world: World) -> None:
    await world.bring_in(picture(120))
    await world.work()
    seen = (await world.only()).seen
    assert seen is not None
    assert seen.meaning is not None
    assert np.linalg.norm(seen.meaning.vector) == pytest.approx(1, abs=1e-3)
    assert seen.meaning.space == "text_encoder-own"
