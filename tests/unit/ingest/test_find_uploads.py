from datetime import timedelta

import pytest

from services.ingest.domain.media import PageStart
from services.ingest.errors import UploadNotFound
from services.ingest.operations.find_uploads import get_upload, list_uploads
from services.keyring import PurposeNotGranted
from tests.unit.ingest.harness import ALICE, BOB, Harness, announce
from tests.unit.ingest.pictures import picture


async def listed(harness: Harness, size: int = 100) -> list[str]:
    found: list[str] = []
    after: PageStart | None = None
    while True:
        uploads, after = await list_uploads(harness.dependencies, subject=ALICE, page_size=size, after=after)
        found += [each.client_id for each in uploads]
        if after is None:
            return found


async def test_open_uploads_are_listed_newest_first_and_page_by_page(harness: Harness) -> None:
    for number in range(5):
        await harness.start(announce(harness.now, picture(seed=number), client_id=f"asset-{number}"))
        await harness.clock.advance(1.0)
    await harness.start(announce(harness.now, picture()), subject=BOB)
    await harness.keep(picture(seed=9))
    newest_first = [f"asset-{number}" for number in reversed(range(5))]
    assert await listed(harness, size=2) == newest_first
    assert await listed(harness, size=5) == newest_first


async def test_what_is_over_or_does_not_open_is_not_listed(harness: Harness) -> None:
    await harness.start(announce(harness.now, picture(seed=1), client_id="old"))
    await harness.clock.advance(timedelta(hours=12))
    upload_id = await harness.start(announce(harness.now, picture(seed=2), client_id="dead"))
    await harness.start(announce(harness.now, picture(seed=3), client_id="open"))
    await harness.clock.advance(timedelta(hours=12))
    harness.keyring.destroy_media(ALICE, f"media/{harness.tables.uploads[upload_id].media_id}")
    assert await listed(harness) == ["open"]
    with pytest.raises(UploadNotFound):
        await get_upload(harness.dependencies, subject=ALICE, upload_id=upload_id)


async def test_without_a_grant_nothing_is_listed(harness: Harness) -> None:
    harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
    with pytest.raises(PurposeNotGranted):
        await listed(harness)


async def test_an_upload_bears_the_phones_name_of_its_asset(harness: Harness) -> None:
    upload_id = await harness.start(announce(harness.now, picture(), client_id="asset-7"))
    upload = await get_upload(harness.dependencies, subject=ALICE, upload_id=upload_id)
    assert (upload.client_id, upload.create_time, upload.media_id) == ("asset-7", harness.now, None)
