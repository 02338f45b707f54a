import pytest

from services.ingest.errors import UploadComplete, UploadNotFound
from services.ingest.operations.cancel_upload import cancel_upload
from services.ingest.operations.find_uploads import get_upload
from tests.unit.ingest.harness import ALICE, BOB, Harness, announce
from tests.unit.ingest.pictures import picture


async def test_a_cancelled_upload_is_gone_and_its_share_is_free(harness: Harness) -> None:
    upload_id = await harness.start(announce(harness.now, picture()))
    await harness.send(upload_id, picture()[:100])
    await cancel_upload(harness.dependencies, subject=ALICE, upload_id=upload_id)
    assert harness.tables.used[ALICE] == 0
    for call in (get_upload, cancel_upload):
        with pytest.raises(UploadNotFound):
            await call(harness.dependencies, subject=ALICE, upload_id=upload_id)


async def test_a_complete_upload_is_not_cancelled(harness: Harness) -> None:
    upload_id = await harness.start(announce(harness.now, picture()))
    received = await harness.send(upload_id, picture())
    assert received.media is not None
    with pytest.raises(UploadComplete) as refused:
        await cancel_upload(harness.dependencies, subject=ALICE, upload_id=upload_id)
    assert refused.value.metadata == {"upload": f"uploads/{upload_id}", "media": f"media/{received.media.id}"}


async def test_another_person_cannot_cancel(harness: Harness) -> None:
    upload_id = await harness.start(announce(harness.now, picture()))
    with pytest.raises(UploadNotFound):
        await cancel_upload(harness.dependencies, subject=BOB, upload_id=upload_id)
    assert upload_id in harness.tables.uploads
