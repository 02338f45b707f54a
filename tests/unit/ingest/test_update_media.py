from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest

from pellicule.internal.ingest.v1 import media_stored_pb2
from services.chassis.seal import open_bytes
from services.ingest.domain.media import MediaMetadata
from services.ingest.errors import MediaNotFound, RequestIdReused
from services.ingest.operations.find_media import find_media, get_media
from services.ingest.operations.update_media import OwnerMarks, update_media
from services.keyring import Purpose, metadata_aad
from tests.unit.ingest.harness import ALICE, BOB, Harness, announce, announce_reduced
from tests.unit.ingest.pictures import picture


async def marks_of(harness: Harness) -> tuple[bool, bool]:
    [media_id] = harness.tables.media
    media = await get_media(harness.dependencies, subject=ALICE, media_id=media_id)
    return media.metadata.favorite, media.metadata.hidden


async def test_an_owner_marks_a_media_and_hides_it(harness: Harness) -> None:
    update = partial(update_media, harness.dependencies, subject=ALICE, media_id=await harness.keep(), request_id=None)
    marked = await update(marks=OwnerMarks(favorite=True))
    assert (marked.metadata.favorite, marked.metadata.hidden) == (True, False)
    hidden = await update(marks=OwnerMarks(hidden=True))
    assert hidden == replace(marked, metadata=replace(marked.metadata, hidden=True))
    assert await marks_of(harness) == (True, True)


async def test_the_services_are_told_what_is_known_now(harness: Harness) -> None:
    media_id = await harness.keep()
    row, key = await find_media(harness.dependencies, ALICE, media_id)
    await update_media(
        harness.dependencies, subject=ALICE, media_id=media_id, marks=OwnerMarks(hidden=True), request_id=None
    )
    event = harness.tables.events[-1]
    told = media_stored_pb2.MediaUpdated.FromString(event.body)
    assert event.type == "pellicule.internal.ingest.v1.MediaUpdated"
    assert (told.media, told.subject, told.metadata_revision) == (f"media/{media_id}", ALICE, 2)
    assert told.data_key_id == str(row.data_key_id)
    assert told.sealed_metadata != row.sealed_metadata
    assert _opened(harness, told, key, row.data_key_id).hidden


def _opened(harness: Harness, told: media_stored_pb2.MediaUpdated, key: bytes, key_id: object) -> MediaMetadata:
    opened = open_bytes(key, told.sealed_metadata, metadata_aad(key_id))  # type: ignore[arg-type]
    return harness.dependencies.codec.decode_metadata(opened)


async def test_what_is_so_already_is_told_to_no_one(harness: Harness) -> None:
    media_id = await harness.keep()
    events, changes = len(harness.tables.events), harness.changes.heads[ALICE].sequence
    await update_media(
        harness.dependencies, subject=ALICE, media_id=media_id, marks=OwnerMarks(hidden=False), request_id=uuid4()
    )
    assert (len(harness.tables.events), harness.changes.heads[ALICE].sequence) == (events, changes)


async def test_a_repeated_request_changes_nothing_again(harness: Harness) -> None:
    update = partial(update_media, harness.dependencies, subject=ALICE, media_id=await harness.keep())
    request_id = uuid4()
    await update(marks=OwnerMarks(hidden=True), request_id=request_id)
    await update(marks=OwnerMarks(hidden=False), request_id=uuid4())
    again = await update(marks=OwnerMarks(hidden=True), request_id=request_id)
    assert not again.metadata.hidden
    assert await marks_of(harness) == (False, False)


async def test_a_request_id_is_one_requests(harness: Harness) -> None:
    update = partial(update_media, harness.dependencies, subject=ALICE, media_id=await harness.keep())
    request_id = uuid4()
    await update(marks=OwnerMarks(hidden=True), request_id=request_id)
    with pytest.raises(RequestIdReused):
        await update(marks=OwnerMarks(hidden=False), request_id=request_id)


async def test_what_a_request_said_is_kept_as_a_keyed_digest(harness: Harness) -> None:
    request_id, media_id = uuid4(), await harness.keep()
    await update_media(
        harness.dependencies, subject=ALICE, media_id=media_id, marks=OwnerMarks(hidden=True), request_id=request_id
    )
    tags = {tag for tag, _ in harness.tables.requests.values()}
    harness.keyring.destroy_purpose(ALICE, Purpose.CLOUD_PROCESSING)
    harness.keyring.grant(ALICE, Purpose.CLOUD_PROCESSING)
    harness.tables.requests.clear()
    harness.tables.media.clear()
    media_id = await harness.keep(picture(seed=2))
    await update_media(
        harness.dependencies, subject=ALICE, media_id=media_id, marks=OwnerMarks(hidden=True), request_id=request_id
    )
    assert tags.isdisjoint(tag for tag, _ in harness.tables.requests.values())


async def test_another_persons_media_does_not_exist(harness: Harness) -> None:
    media_id = await harness.keep()
    with pytest.raises(MediaNotFound):
        await update_media(
            harness.dependencies, subject=BOB, media_id=media_id, marks=OwnerMarks(hidden=True), request_id=uuid4()
        )


async def test_the_original_keeps_the_marks_of_its_reduced_copy(harness: Harness) -> None:
    original, reduced = picture(width=640, height=480, seed=1), picture(width=64, height=48, seed=1)
    received = await harness.upload(announce_reduced(harness.now, original, reduced), reduced)
    assert received.media is not None
    media_id = received.media.id
    await update_media(
        harness.dependencies, subject=ALICE, media_id=media_id, marks=OwnerMarks(True, True), request_id=None
    )
    await harness.dependencies.media.want_originals("test", "1", ALICE, [media_id])
    await harness.upload(announce(harness.now, original), original)
    assert harness.tables.media[media_id].metadata_revision == 3
    assert await marks_of(harness) == (True, True)
