from uuid import uuid4

import pytest

from services.analysis.domain.findings import Analysis
from services.analysis.domain.media import StoredMedia
from services.analysis.errors import MediaNotFound
from services.analysis.operations.get_analysis import get_analysis
from tests.unit.analysis.harness import ANN, BOB, EVERYTHING, Harness
from tests.unit.analysis.test_read_preview import preview


async def get(harness: Harness, media: StoredMedia, *, subject: str = ANN) -> Analysis:
    return await get_analysis(subject, media.media, harness.dependencies)


async def test_what_was_erased_is_gone_before_its_rows_are(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    media = await harness.bring_in()
    waiting = await harness.bring_in()
    await harness.store.claim(limit=1, now=harness.clock.now(), until=harness.clock.now())
    await harness.work()
    for each in (media, waiting):
        harness.keyring.destroy_media(ANN, each.name)
        with pytest.raises(MediaNotFound):
            await get(harness, each)
        with pytest.raises(MediaNotFound):
            await preview(harness, each)
    assert await harness.known() == []


async def test_what_was_withdrawn_is_gone_before_its_rows_are(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    media = await harness.bring_in()
    await harness.work()
    harness.keyring.destroy_purpose(ANN, "LOCATION")
    assert ((await harness.only()).place, "exif-1" in (await harness.only()).models) == (None, False)
    harness.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
    with pytest.raises(MediaNotFound):
        await get(harness, media)
    with pytest.raises(MediaNotFound):
        await preview(harness, media)


async def test_others_do_not_see_that_a_media_exists(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    harness.keyring.grant(BOB, *EVERYTHING)
    media = await harness.bring_in()
    await harness.work()
    with pytest.raises(MediaNotFound):
        await get(harness, media, subject=BOB)
    with pytest.raises(MediaNotFound):
        await preview(harness, media, subject=BOB)


async def test_a_media_that_never_was_is_not_found(harness: Harness) -> None:
    with pytest.raises(MediaNotFound) as refused:
        await get_analysis(ANN, uuid4(), harness.dependencies)
    assert refused.value.metadata["media"].startswith("media/")
