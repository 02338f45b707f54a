"""Media whose bytes the store has lost: found, said so, asked for again, and healed by the upload."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from services.chassis.errors import DependencyUnavailable
from services.chassis.seal import CHUNK_SIZE
from services.ingest.domain.upload_plan import PlanAction, PlanItem, PlanReason
from services.ingest.errors import MediaMissing, UploadNotFound
from services.ingest.operations.find_media import get_media
from services.ingest.operations.plan_uploads import plan_uploads
from services.ingest.operations.read_media import read_media
from tests.fakes.object_store import FakeObjectStore
from tests.unit.ingest.harness import ALICE, Harness, announce, asset, pieces
from tests.unit.ingest.pictures import motion_photo, picture

PICTURE = picture()
LARGE = motion_photo(64, 48) + bytes(range(256)) * (2 * CHUNK_SIZE // 256)


class FailingStore(FakeObjectStore):
    """A store that answers for some objects with an error."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: set[str] = set()

    async def stream(self, bucket: str, name: str, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        if name in self.failing:
            raise DependencyUnavailable.of("object-store")
        async for piece in super().stream(bucket, name, offset, length):
            yield piece


async def planned(harness: Harness, content: bytes = PICTURE) -> PlanItem:
    summary = asset(harness.now, content)
    (item,) = await plan_uploads(harness.dependencies, subject=ALICE, assets=[summary], can_reduce=True)
    return item


async def read(harness: Harness, media_id: UUID) -> bytes:
    found = await read_media(harness.dependencies, subject=ALICE, media_id=media_id)
    return b"".join([piece async for piece in found.chunks])


async def is_missing(harness: Harness, media_id: UUID) -> bool:
    return (await get_media(harness.dependencies, subject=ALICE, media_id=media_id)).missing


async def test_what_the_store_has_lost_is_never_known(harness: Harness) -> None:
    media_id = await harness.keep(PICTURE)
    known = await planned(harness)
    harness.objects.objects.clear()
    assert await harness.inspection.step()
    lost = await planned(harness)
    assert (known.action, known.reason) == (PlanAction.SKIP, PlanReason.KNOWN)
    assert (lost.reason, lost.media_id, lost.action is PlanAction.SKIP) == (PlanReason.MISSING, media_id, False)
    assert await is_missing(harness, media_id)


async def test_the_upload_heals_it_under_its_name(harness: Harness) -> None:
    media_id = await harness.keep(PICTURE)
    harness.objects.objects.clear()
    await harness.inspection.step()
    again, told = await harness.keep(PICTURE), len(harness.tables.events)
    assert (again, await read(harness, media_id), told) == (media_id, PICTURE, 2)
    assert not await is_missing(harness, media_id)
    assert (await planned(harness)).reason is PlanReason.KNOWN


async def test_the_owner_s_feed_hears_that_it_is_missing_and_that_it_is_there_again(harness: Harness) -> None:
    media_id = await harness.keep(PICTURE)
    before = harness.changes.heads[ALICE].sequence
    objects = dict(harness.objects.objects)
    harness.objects.objects.clear()
    await harness.inspection.step()
    lost = harness.changes.heads[ALICE].sequence
    harness.objects.objects |= objects
    await harness.inspection.step()
    assert (lost - before, harness.changes.heads[ALICE].sequence - lost) == (1, 1)
    assert await read(harness, media_id) == PICTURE


async def test_an_original_is_asked_for_as_an_original(harness: Harness) -> None:
    await harness.keep(PICTURE)
    harness.objects.objects.clear()
    await harness.inspection.step()
    summary = asset(harness.now, PICTURE, width=6000, height=4000)
    (item,) = await plan_uploads(harness.dependencies, subject=ALICE, assets=[summary], can_reduce=True)
    assert (item.action, item.reason) == (PlanAction.UPLOAD_ORIGINAL, PlanReason.MISSING)


async def test_one_that_fell_out_of_the_window_meanwhile_is_asked_for_all_the_same(harness: Harness) -> None:
    await harness.keep(PICTURE)
    summary = asset(harness.now, PICTURE)
    harness.objects.objects.clear()
    await harness.inspection.step()
    await harness.clock.advance(29 * 86400)
    (item,) = await plan_uploads(harness.dependencies, subject=ALICE, assets=[summary], can_reduce=True)
    assert item.reason is PlanReason.MISSING


async def test_a_reader_finds_it_too_and_is_told_why(harness: Harness) -> None:
    media_id = await harness.keep(PICTURE)
    harness.objects.objects.clear()
    with pytest.raises(MediaMissing):
        await read(harness, media_id)
    assert (await planned(harness)).reason is PlanReason.MISSING


async def test_altered_bytes_are_missing_until_they_are_uploaded_again(harness: Harness) -> None:
    media_id = await harness.keep(PICTURE)
    (place,) = harness.objects.objects
    harness.objects.objects[place] = bytes(len(harness.objects.objects[place]))
    with pytest.raises(MediaMissing):
        await read(harness, media_id)
    await harness.inspection.step()
    assert (await planned(harness)).reason is PlanReason.MISSING
    await harness.keep(PICTURE)
    assert await read(harness, media_id) == PICTURE


async def test_an_object_that_was_cut_short_is_missing(harness: Harness) -> None:
    await harness.keep(PICTURE)
    (place,) = harness.objects.objects
    harness.objects.objects[place] = harness.objects.objects[place][:-1]
    await harness.inspection.step()
    assert (await planned(harness)).reason is PlanReason.MISSING


async def test_an_outage_of_the_store_is_no_loss() -> None:
    store = FailingStore()
    harness = Harness(objects=store)
    harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
    await harness.keep(PICTURE)
    store.failing = harness.object_names
    for _ in range(5):
        with pytest.raises(DependencyUnavailable):
            await harness.inspection.step()
    assert (await planned(harness)).reason is PlanReason.KNOWN


async def test_an_error_for_one_alone_is_a_loss_at_the_third_look() -> None:
    store = FailingStore()
    harness = Harness(objects=store)
    harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
    await harness.keep(PICTURE)
    store.failing = harness.object_names
    await harness.keep(picture(width=40))
    reasons = []
    for _ in range(3):
        await harness.inspection.step()
        reasons.append((await planned(harness)).reason)
    assert reasons == [PlanReason.KNOWN, PlanReason.KNOWN, PlanReason.MISSING]


async def test_an_upload_whose_committed_bytes_are_lost_begins_anew(harness: Harness) -> None:
    announcement = announce(harness.now, LARGE)
    upload_id = await harness.start(announcement)
    sent = await harness.send(upload_id, *pieces(LARGE[: CHUNK_SIZE + 1000]))
    harness.objects.objects.clear()
    with pytest.raises(UploadNotFound):
        await harness.send(upload_id, LARGE[-1000:], offset=sent.upload.committed_bytes)
    again = await harness.start(announcement)
    assert again != upload_id
    assert (await harness.send(again, *pieces(LARGE))).media is not None
