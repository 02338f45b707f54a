"""Words find pictures: one's own, as long as they can be opened, and nothing that is excluded."""

from datetime import timedelta

import numpy as np
import pytest

from inference.vision.search import label_sentences
from services.analysis.domain.search_ranking import Match
from services.analysis.errors import ModelAnswerBroken, ModelBusy, ModelFault, ModelMissing, ModelUnavailable
from services.analysis.operations import search as searching
from services.chassis.errors import DependencyUnavailable, FieldInvalid
from services.keyring import PurposeNotGranted
from tests.fakes.models import SERVED, WRITTEN
from tests.unit.analysis.harness import ANN, BOB, Harness
from tests.unit.analysis.test_pipeline import picture

CAT, MOUNTAIN = label_sentences()[281], label_sentences()[970]


@pytest.fixture
async def harness() -> Harness:
    harness = Harness()
    harness.models.served = {**SERVED, "text_encoder": "text_encoder-own"}
    await harness.worker.sweep_models()
    for person in (ANN, BOB):
        harness.keyring.grant(person, "CLOUD_PROCESSING")
    return harness


async def search(harness: Harness, query: str, subject: str = ANN) -> list[Match]:
    return await searching.search(subject, query, harness.dependencies)


async def test_a_picture_is_found_by_what_it_shows(harness: Harness) -> None:
    cat, mountain = await harness.bring_in(picture(120)), await harness.bring_in(picture(10))
    await harness.work()
    assert [match.media for match in await search(harness, CAT)] == [cat.media, mountain.media]
    assert [match.media for match in await search(harness, MOUNTAIN)] == [mountain.media, cat.media]
    assert await search(harness, "xyzzy") == []


async def test_a_paper_is_found_by_what_is_written_on_it(harness: Harness) -> None:
    await harness.bring_in(picture(120))
    paper = await harness.bring_in(picture(255, lines=4))
    await harness.work()
    (match,) = await search(harness, "total")
    assert (match.media, set(match.lines), match.score > 0.8) == (paper.media, {WRITTEN}, True)


async def test_the_pictures_of_others_are_not_found(harness: Harness) -> None:
    await harness.bring_in(picture(120), subject=BOB)
    await harness.work()
    assert (await search(harness, CAT), len(await search(harness, CAT, BOB))) == ([], 1)


async def test_what_is_excluded_is_not_found(harness: Harness) -> None:
    await harness.bring_in(picture(120, intimate=0.98))
    await harness.work()
    assert await search(harness, CAT) == []


async def test_what_was_erased_is_not_found(harness: Harness) -> None:
    media = await harness.bring_in(picture(120))
    await harness.work()
    harness.keyring.destroy_media(ANN, media.name)
    assert await search(harness, CAT) == []


async def test_a_search_needs_consent(harness: Harness) -> None:
    harness.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
    with pytest.raises(PurposeNotGranted):
        await search(harness, CAT)


async def test_pictures_that_another_encoder_described_are_found_again_once_they_are_described_anew(
    harness: Harness,
) -> None:
    media = await harness.bring_in(picture(120))
    await harness.work()
    harness.models.served = {**harness.models.served, "text_encoder": "text_encoder-other"}
    assert await search(harness, CAT) == []
    await harness.worker.sweep_models()
    await harness.work()
    assert [match.media for match in await search(harness, CAT)] == [media.media]


async def test_labels_are_asked_for_once(harness: Harness) -> None:
    for _ in range(3):
        await harness.bring_in(picture(120))
    await harness.work()
    assert harness.models.asked.count("text_encoder") == 1


@pytest.mark.parametrize("query", ["\U0001f415", "?!", "..."])
async def test_a_query_without_a_word_is_refused_with_the_remedy(harness: Harness, query: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        await search(harness, query)
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
async def test_without_the_inference_server_a_search_says_when_to_come_back(
    harness: Harness, failure: ModelFault
) -> None:
    harness.models.failure = failure
    with pytest.raises(DependencyUnavailable) as refused:
        await search(harness, CAT)
    assert refused.value.metadata == {"dependency": "inference-server"}
    assert refused.value.retry_after is not None
    if isinstance(failure, ModelUnavailable):
        assert refused.value.retry_after == failure.retry_after


async def test_what_a_picture_means_survives_its_record_well_enough_to_compare(harness: Harness) -> None:
    await harness.bring_in(picture(120))
    await harness.work()
    scene = (await harness.only()).scene
    assert scene is not None
    assert scene.meaning is not None
    assert np.linalg.norm(scene.meaning.vector) == pytest.approx(1, abs=1e-3)
    assert scene.meaning.space == "text_encoder-own"
