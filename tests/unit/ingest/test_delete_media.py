from functools import partial
from uuid import uuid4

import pytest

from services.ingest.errors import MediaNotFound, RequestIdReused
from services.ingest.operations.delete_media import delete_media, delete_media_batch
from services.ingest.operations.find_media import get_media
from services.keyring import Erasure
from services.keyring import errors as keyring_errors
from tests.unit.ingest.harness import ALICE, BOB, Harness, listed
from tests.unit.ingest.pictures import picture


async def test_a_deleted_media_is_gone_with_its_object(harness: Harness) -> None:
    media_id = await harness.keep()
    request_id = uuid4()
    erasure = await delete_media(harness.dependencies, subject=ALICE, media_id=media_id, request_id=request_id)
    assert (erasure.name, erasure.media) == (f"erasures/{request_id}", f"media/{media_id}")
    assert (harness.tables.media, harness.objects.objects) == ({}, {})
    with pytest.raises(MediaNotFound):
        await get_media(harness.dependencies, subject=ALICE, media_id=media_id)


async def test_another_persons_media_cannot_be_deleted(harness: Harness) -> None:
    media_id = await harness.keep()
    with pytest.raises(MediaNotFound):
        await delete_media(harness.dependencies, subject=BOB, media_id=media_id, request_id=uuid4())
    assert await listed(harness) == [media_id]


async def test_what_never_was_cannot_be_deleted(harness: Harness) -> None:
    with pytest.raises(MediaNotFound):
        await delete_media(harness.dependencies, subject=ALICE, media_id=uuid4(), request_id=uuid4())


async def test_a_batch_deletes_each_and_says_what_became_of_each(harness: Harness) -> None:
    first, second = await harness.keep(picture(seed=1)), await harness.keep(picture(seed=2))
    never = uuid4()
    request_id = uuid4()
    batch = partial(
        delete_media_batch, harness.dependencies, subject=ALICE, media_ids=[first, never, second], request_id=request_id
    )
    outcomes = await batch()
    assert [getattr(outcome, "media", outcome.__class__) for outcome in outcomes] == [
        f"media/{first}",
        MediaNotFound,
        f"media/{second}",
    ]
    assert harness.tables.media == {}


async def test_the_request_id_of_a_batch_is_one_batchs(harness: Harness) -> None:
    first, second = await harness.keep(picture(seed=1)), await harness.keep(picture(seed=2))
    request_id = uuid4()
    await delete_media_batch(harness.dependencies, subject=ALICE, media_ids=[first], request_id=request_id)
    with pytest.raises(RequestIdReused):
        await delete_media_batch(harness.dependencies, subject=ALICE, media_ids=[second], request_id=request_id)
    with pytest.raises(RequestIdReused):
        await delete_media(harness.dependencies, subject=ALICE, media_id=second, request_id=request_id)
    assert list(harness.tables.media) == [second]


async def test_a_request_id_that_erased_another_media_is_refused(harness: Harness) -> None:
    media_id = await harness.keep()

    async def refuse(**_: object) -> Erasure:
        raise keyring_errors.RequestIdReused("the request id belongs to another request")

    harness.erase_media = refuse  # type: ignore[method-assign]
    with pytest.raises(RequestIdReused):
        await delete_media(harness.dependencies, subject=ALICE, media_id=media_id, request_id=uuid4())
