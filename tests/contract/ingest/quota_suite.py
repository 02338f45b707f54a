"""What the ingest tables must count of rows, whatever keeps them, and whatever brings or takes the rows."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from services.ingest.domain.quota import MOST_EVENTS, Quota, Used
from services.ingest.domain.records import MediaRow, UploadRow
from services.ingest.ports import Request
from services.ingest.ports.outcomes import Addition, Completion, MediaUpdate, Remembering
from services.keyring import DataKeyScope, PurgeCause, PurposeScope, SubjectScope
from tests.contract.ingest.store_suite import (
    ALICE,
    BOB,
    NOON,
    QUOTA,
    Stores,
    event,
    lookup_key,
    media_of,
    order,
    remember,
    segment,
    store,
    upload,
)

FREE = Quota(10**12, row_bytes=0)
ROW = 100


def room_for(rows: int, size_bytes: int = 10) -> Quota:
    return Quota(rows * ROW + size_bytes, row_bytes=ROW)


async def rows(stores: Stores, subject: str = ALICE) -> int:
    return (await stores.media.used(subject)).row_count


async def deleted(stores: Stores, media: MediaRow) -> None:
    await stores.lookup.put(lookup_key(), replaces=None)
    await stores.purge.delete(order(DataKeyScope((str(media.data_key_id),)), PurgeCause.ERASURE))


Way = Callable[[Stores, UploadRow], Awaitable[object]]

WAYS_OUT: dict[str, Way] = {
    "cancelled": lambda stores, row: stores.uploads.cancel(ALICE, row.id, NOON),
    "discarded": lambda stores, row: stores.uploads.discard(ALICE, row.id, NOON),
    "withdrawn": lambda stores, row: stores.purge.delete(order(PurposeScope(row.purpose, row.purpose_revision))),
    "erased": lambda stores, row: stores.purge.delete(order(SubjectScope(row.purpose_revision, NOON, account=True))),
}


class QuotaSuite:
    async def test_an_upload_is_a_row_and_with_its_media_two(self, stores: Stores) -> None:
        row = upload()
        await stores.uploads.add(row, quota=FREE)
        assert await stores.media.used(ALICE) == Used(1000, 1)
        await stores.uploads.complete(row, media_of(row), segment(), event(), NOON)
        assert await stores.media.used(ALICE) == Used(1000, 2)
        await stores.sweep.delete_complete([row.id])
        assert await stores.media.used(ALICE) == Used(1000, 1)

    async def test_what_is_stored_in_one_step_is_two_rows(self, stores: Stores) -> None:
        row = upload()
        await stores.uploads.complete_at_once(row, media_of(row), segment(), event(), NOON, quota=FREE)
        assert await stores.media.used(ALICE) == Used(1000, 2)
        assert await stores.media.used(BOB) == Used()

    async def test_rows_use_the_share_up_however_small_the_files_are(self, stores: Stores) -> None:
        for _ in range(3):
            assert await stores.uploads.add(upload(size=1), quota=room_for(3)) is Addition.ADDED
        assert await stores.uploads.add(upload(size=1), quota=room_for(3)) is Addition.NO_ROOM
        assert await stores.uploads.add(upload(BOB, size=1), quota=room_for(3)) is Addition.ADDED

    async def test_what_comes_in_one_step_needs_room_for_its_row(self, stores: Stores) -> None:
        first, second = upload(size=50), upload(size=50)
        for row, outcome in ((first, Completion.STORED), (second, Completion.GONE)):
            made = stores.uploads.complete_at_once(
                row, media_of(row), segment(), event(), NOON, quota=room_for(2, size_bytes=50)
            )
            assert await made is outcome
        assert await stores.media.used(ALICE) == Used(50, 2)

    async def test_an_upload_of_what_is_known_is_a_row_and_needs_room(self, stores: Stores) -> None:
        known = await store(stores, upload(size=1))
        note = upload(size=1, media_id=known.id, data_key_id=None, complete_time=NOON)
        assert await stores.uploads.add_complete(note, quota=room_for(2)) is Addition.NO_ROOM
        assert await stores.uploads.find(ALICE, note.id) is None
        assert await stores.uploads.add_complete(note, quota=room_for(3)) is Addition.ADDED
        assert await rows(stores) == 3

    async def test_a_deletion_leaves_a_row_until_it_is_forgotten(self, stores: Stores) -> None:
        media = await store(stores, upload(size=1))
        await deleted(stores, media)
        assert await rows(stores) == 1
        await stores.sweep.forget_deleted(NOON + timedelta(days=1))
        assert await rows(stores) == 0

    async def test_what_comes_in_again_takes_the_place_of_its_deletion(self, stores: Stores) -> None:
        row = upload(size=1)
        media = await store(stores, row)
        await deleted(stores, media)
        again = upload(size=1, tag=media.tag)
        await stores.uploads.complete_at_once(again, media_of(again), segment(), event(), NOON, quota=FREE)
        assert await rows(stores) == 2

    @pytest.mark.parametrize("way", WAYS_OUT)
    async def test_rows_that_go_are_counted_no_more(self, stores: Stores, way: str) -> None:
        kept, row = upload(BOB), upload()
        await stores.uploads.add(kept, quota=FREE)
        await stores.uploads.add(row, quota=FREE)
        await WAYS_OUT[way](stores, row)
        assert await stores.media.used(ALICE) == Used()
        assert await stores.media.used(BOB) == Used(1000, 1)

    async def test_rows_of_many_persons_are_counted_for_each(self, stores: Stores) -> None:
        uploads = [upload(subject, size=1) for subject in (ALICE, BOB, ALICE)]
        for row in uploads:
            await store(stores, row)
        await stores.sweep.delete_complete([row.id for row in uploads])
        assert (await rows(stores), await rows(stores, BOB)) == (2, 1)

    async def test_a_request_is_a_row_and_needs_room_unless_it_is_repeated(self, stores: Stores) -> None:
        first, second = uuid4(), uuid4()
        for _ in range(2):
            noted = await stores.requests.remember(ALICE, first, b"one", NOON, quota=room_for(1))
            assert noted is Remembering.NOTED
        assert await stores.requests.remember(ALICE, first, b"two", NOON, quota=room_for(1)) is Remembering.REUSED
        assert await stores.requests.remember(ALICE, second, b"one", NOON, quota=room_for(1)) is Remembering.NO_ROOM
        assert await rows(stores) == 1
        await stores.sweep.forget_requests(NOON + timedelta(days=1))
        assert await rows(stores) == 0

    async def test_a_request_that_changes_a_media_needs_room(self, stores: Stores) -> None:
        media = await store(stores, upload(size=1))
        changed = replace(media, sealed_metadata=b"sealed anew", metadata_revision=media.metadata_revision + 1)
        request = Request(uuid4(), b"tag")
        assert await stores.media.update(changed, event(), request, NOON, quota=room_for(2)) is MediaUpdate.NO_ROOM
        assert await stores.media.update(changed, event(), request, NOON, quota=room_for(3)) is MediaUpdate.STORED
        assert await rows(stores) == 3

    async def test_changes_wait_until_those_before_are_told(
        self, stores: Stores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in ("services.ingest.store.media", "tests.fakes.ingest"):
            monkeypatch.setattr(f"{module}.MOST_EVENTS", 2)
        media = await store(stores, upload(size=1))
        outcomes = []
        for number in range(1, 4):
            changed = replace(media, metadata_revision=media.metadata_revision + number)
            told = replace(event(), person=ALICE)
            outcomes.append(await stores.media.update(changed, told, None, NOON, quota=QUOTA))
        assert outcomes == [MediaUpdate.STORED, MediaUpdate.STORED, MediaUpdate.TOO_MANY_EVENTS]
        assert MOST_EVENTS > 2

    async def test_what_a_purge_leaves_of_a_person_is_counted_until_it_goes(self, stores: Stores) -> None:
        await remember(stores, ALICE, uuid4(), b"after", NOON + timedelta(seconds=1))
        await stores.purge.delete(order(SubjectScope(6, NOON, account=True)))
        assert await rows(stores) == 1
        await stores.sweep.forget_requests(NOON + timedelta(days=1))
        assert await stores.media.used(ALICE) == Used()

    async def test_requests_of_others_are_not_counted(self, stores: Stores) -> None:
        await remember(stores, BOB, uuid4(), b"one", NOON)
        assert await rows(stores) == 0
