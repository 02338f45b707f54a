from uuid import uuid4

import pytest

from services.ingest.errors import MediaNotFound
from services.ingest.operations.delete_media import delete_media
from services.ingest.operations.find_media import get_media
from tests.unit.ingest.harness import ALICE, BOB, Harness, listed


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
