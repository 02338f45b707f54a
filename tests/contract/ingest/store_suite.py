"""What the ingest tables must do, whatever keeps them: the fake runs it here, PostgreSQL in the integration tests."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from services.chassis.messaging.events import OutgoingEvent
from services.ingest.domain.leftovers import ExpiredUpload
from services.ingest.domain.media import MEDIA_PURPOSES, MediaForm, PageStart
from services.ingest.domain.quota import Quota, Used
from services.ingest.domain.records import LookupKeyRow, MediaRow, NewSegment, Segment, UploadRow
from services.ingest.ports import (
    DeviceTable,
    LookupKeyTable,
    MediaTable,
    PurgeTables,
    Request,
    Requests,
    Survey,
    SweepTables,
    Uploads,
)
from services.ingest.ports.missing import MissingMedia
from services.ingest.ports.outcomes import Addition, Completion, MediaUpdate, Remembering
from services.keyring import DataKeyScope, PurgeCause, PurgeOrder, PurgeScope, Purpose, PurposeScope, SubjectScope

ALICE, BOB = "a" * 32, "b" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUOTA = Quota(10_000, row_bytes=0)


@dataclass(frozen=True)
class Stores:
    uploads: Uploads
    media: MediaTable
    devices: DeviceTable
    requests: Requests
    lookup: LookupKeyTable
    sweep: SweepTables
    purge: PurgeTables
    missing: MissingMedia


def upload(subject: str = ALICE, *, size: int = 1000, **changes: object) -> UploadRow:
    row = UploadRow(
        id=uuid4(),
        subject=subject,
        request_id=uuid4(),
        request_tag=b"request",
        media_id=uuid4(),
        purpose=Purpose.CLOUD_PROCESSING,
        purpose_revision=3,
        data_key_id=uuid4(),
        form=MediaForm.REDUCED,
        tag=uuid4().bytes,
        bytes_tag=uuid4().bytes,
        size_bytes=size,
        writer=0,
        committed_bytes=0,
        chunked_bytes=0,
        seal_prefix=None,
        sealed_announcement=b"sealed",
        create_time=NOON,
        expire_time=NOON + timedelta(hours=24),
        delete_time=NOON + timedelta(days=30),
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def come_to(row: UploadRow, committed_bytes: int) -> UploadRow:
    """Return an upload as it is once that much of it is committed."""
    return replace(row, committed_bytes=committed_bytes, chunked_bytes=committed_bytes, seal_prefix=b"1234567")


def media_of(row: UploadRow, **changes: object) -> MediaRow:
    assert row.data_key_id is not None
    made = MediaRow(
        id=row.media_id,
        subject=row.subject,
        purpose=row.purpose,
        purpose_revision=row.purpose_revision,
        data_key_id=row.data_key_id,
        form=row.form,
        tag=row.tag,
        size_bytes=row.size_bytes,
        sealed_metadata=b"sealed too",
        upload_time=NOON,
        delete_time=row.delete_time,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def segment(position: int = 0) -> NewSegment:
    return NewSegment(Segment(uuid4().hex, 1016), position)


def event() -> OutgoingEvent:
    return OutgoingEvent(type="pellicule.ingest.v1.MediaStored", subject="media/x", body=b"sealed")


def order(scope: PurgeScope, cause: PurgeCause = PurgeCause.WITHDRAWAL, subject: str = ALICE) -> PurgeOrder:
    return PurgeOrder(f"purgeOrders/{uuid4()}", subject, cause, scope, NOON)


def lookup_key(subject: str = ALICE, revision: int = 3) -> LookupKeyRow:
    return LookupKeyRow(subject, uuid4(), revision, b"sealed", NOON)


async def store(stores: Stores, row: UploadRow, new: NewSegment | None = None) -> MediaRow:
    assert await stores.uploads.add(row, quota=QUOTA) is Addition.ADDED
    media = media_of(row)
    assert await stores.uploads.complete(row, media, new or segment(), event(), NOON) is Completion.STORED
    return media


async def survey(stores: Stores, row: UploadRow, **changes: object) -> Survey:
    row = replace(row, **changes)  # type: ignore[arg-type]
    return await stores.uploads.survey(row.subject, row.request_id, bytes_tag=row.bytes_tag, tag=row.tag)


async def store_at_once(stores: Stores, row: UploadRow, new: NewSegment) -> Completion:
    return await stores.uploads.complete_at_once(row, media_of(row), new, event(), NOON, quota=QUOTA)


async def remember(stores: Stores, subject: str, request_id: UUID, tag: bytes, now: datetime) -> Remembering:
    return await stores.requests.remember(subject, request_id, tag, now, quota=QUOTA)


class UploadSuite:
    async def test_an_upload_is_found_by_its_owner_alone(self, stores: Stores) -> None:
        row = upload()
        assert await stores.uploads.add(row, quota=QUOTA) is Addition.ADDED
        assert await stores.uploads.find(ALICE, row.id) == row
        assert await stores.uploads.find(BOB, row.id) is None

    async def test_an_earlier_upload_is_found_by_its_request_and_by_its_bytes(self, stores: Stores) -> None:
        row = upload()
        await stores.uploads.add(row, quota=QUOTA)
        assert await survey(stores, row, bytes_tag=b"other") == Survey((row,), (), Used(1000, 1))
        assert await survey(stores, row, request_id=uuid4()) == Survey((row,), (), Used(1000, 1))
        assert await survey(stores, row) == Survey((row,), (), Used(1000, 1))
        assert await survey(stores, row, subject=BOB) == Survey((), (), Used())

    async def test_the_share_of_the_store_is_never_exceeded(self, stores: Stores) -> None:
        assert await stores.uploads.add(upload(size=QUOTA.size_bytes + 1), quota=QUOTA) is Addition.NO_ROOM
        assert await stores.uploads.add(upload(size=QUOTA.size_bytes - 1), quota=QUOTA) is Addition.ADDED
        assert await stores.uploads.add(upload(size=2), quota=QUOTA) is Addition.NO_ROOM
        assert await stores.uploads.add(upload(BOB, size=2), quota=QUOTA) is Addition.ADDED
        assert await stores.uploads.add(upload(size=1), quota=QUOTA) is Addition.ADDED
        assert (await stores.media.used(ALICE)).size_bytes == QUOTA.size_bytes

    async def test_one_request_and_one_set_of_bytes_open_one_upload(self, stores: Stores) -> None:
        row = upload()
        await stores.uploads.add(row, quota=QUOTA)
        same_request, same_bytes = upload(request_id=row.request_id), upload(bytes_tag=row.bytes_tag)
        assert await stores.uploads.add(same_request, quota=QUOTA) is Addition.TAKEN
        assert await stores.uploads.add(same_bytes, quota=QUOTA) is Addition.TAKEN
        assert (await stores.media.used(ALICE)).size_bytes == row.size_bytes

    async def test_nothing_opens_behind_the_fence(self, stores: Stores) -> None:
        await stores.purge.raise_fences(ALICE, [Purpose.CLOUD_PROCESSING], 3)
        assert await stores.uploads.add(upload(purpose_revision=3), quota=QUOTA) is Addition.FENCED
        assert await stores.uploads.add(upload(purpose_revision=4), quota=QUOTA) is Addition.ADDED
        assert await stores.uploads.add(upload(BOB, purpose_revision=3), quota=QUOTA) is Addition.ADDED
        assert (await stores.media.used(ALICE)).size_bytes == 1000

    async def test_segments_come_back_in_their_order(self, stores: Stores) -> None:
        row = upload()
        await stores.uploads.add(row, quota=QUOTA)
        first, second = segment(0), segment(1)
        assert await stores.uploads.commit(come_to(row, 400), first, tail=None)
        assert await stores.uploads.find(ALICE, row.id) == come_to(row, 400)
        assert await stores.uploads.commit(come_to(row, 800), second, tail=None)
        assert row.data_key_id is not None
        assert await stores.uploads.segments(row.data_key_id) == [first.segment, second.segment]

    async def test_what_fills_no_chunk_is_kept_until_more_comes(self, stores: Stores) -> None:
        row = upload()
        await stores.uploads.add(row, quota=QUOTA)
        begun = replace(row, committed_bytes=300)
        assert await stores.uploads.commit(begun, None, tail=b"sealed tail")
        assert await stores.uploads.take_over(ALICE, row.id) == (replace(begun, writer=1), b"sealed tail")
        assert await stores.uploads.take_over(BOB, row.id) is None
        assert await stores.uploads.commit(replace(come_to(row, 400), writer=1), segment(0), tail=None)
        assert await stores.uploads.take_over(ALICE, row.id) == (replace(come_to(row, 400), writer=2), None)

    async def test_a_writer_that_was_taken_over_commits_nothing(self, stores: Stores) -> None:
        row = upload()
        await stores.uploads.add(row, quota=QUOTA)
        await stores.uploads.take_over(ALICE, row.id)
        assert not await stores.uploads.commit(come_to(row, 400), segment(0), tail=None)
        assert await stores.uploads.complete(row, media_of(row), segment(), event(), NOON) is Completion.GONE
        assert not await stores.uploads.cancel(ALICE, row.id, NOON, writer=row.writer)
        assert row.data_key_id is not None
        assert await stores.uploads.segments(row.data_key_id) == []
        assert await stores.uploads.find(ALICE, row.id) == replace(row, writer=1)

    async def test_a_complete_upload_is_not_taken_over_and_not_cancelled(self, stores: Stores) -> None:
        row = upload()
        await store(stores, row)
        assert await stores.uploads.take_over(ALICE, row.id) is None
        assert not await stores.uploads.cancel(ALICE, row.id, NOON)
        assert await stores.uploads.find(ALICE, row.id) is not None

    async def test_a_cancelled_upload_gives_its_share_back(self, stores: Stores) -> None:
        row, first = upload(), segment()
        await stores.uploads.add(row, quota=QUOTA)
        await stores.uploads.commit(come_to(row, 400), first, tail=None)
        assert not await stores.uploads.cancel(BOB, row.id, NOON)
        assert await stores.uploads.cancel(ALICE, row.id, NOON)
        assert await stores.uploads.find(ALICE, row.id) is None
        assert [discard.objects for discard in await stores.sweep.discards(10)] == [(first.segment.object,)]
        assert (await stores.media.used(ALICE)).size_bytes == 0

    async def test_open_uploads_are_listed_newest_first(self, stores: Stores) -> None:
        rows = [upload(create_time=NOON + timedelta(minutes=minute)) for minute in range(4)]
        for row in [*rows, upload(BOB), upload(create_time=NOON, expire_time=NOON)]:
            await stores.uploads.add(row, quota=QUOTA)
        await store(stores, upload())
        assert await stores.uploads.page(ALICE, None, 3, now=NOON) == rows[:0:-1]
        behind = PageStart(rows[1].create_time, rows[1].id)
        assert await stores.uploads.page(ALICE, behind, 3, now=NOON) == rows[:1]

    async def test_a_complete_upload_is_a_media(self, stores: Stores) -> None:
        row, last = upload(), segment()
        media = await store(stores, row, last)
        assert await stores.media.find(ALICE, media.id) == media
        assert await stores.media.find(BOB, media.id) is None
        assert await stores.media.segments(media.data_key_id) == [last.segment]
        assert await stores.uploads.find(ALICE, row.id) == replace(
            row, committed_bytes=1000, chunked_bytes=1000, complete_time=NOON
        )
        assert (await stores.media.used(ALICE)).size_bytes == row.size_bytes

    async def test_an_upload_that_was_not_there_is_stored_complete_in_one_step(self, stores: Stores) -> None:
        row, last = upload(), segment()
        assert await store_at_once(stores, row, last) is Completion.STORED
        media = media_of(row)
        assert await stores.media.find(ALICE, media.id) == media
        assert await stores.media.segments(media.data_key_id) == [last.segment]
        done = replace(row, committed_bytes=1000, chunked_bytes=1000, complete_time=NOON)
        assert await survey(stores, row) == Survey((done,), (media,), Used(1000, 2))

    async def test_what_stands_in_the_way_of_the_one_step_undoes_all_of_it(self, stores: Stores) -> None:
        media = await store(stores, upload())
        await stores.purge.raise_fences(ALICE, [Purpose.OLDER_MEDIA], 5)
        refused = (
            upload(tag=media.tag),
            upload(size=QUOTA.size_bytes),
            upload(purpose=Purpose.OLDER_MEDIA, purpose_revision=5),
        )
        for row in refused:
            assert await store_at_once(stores, row, segment()) is Completion.GONE
            assert await stores.uploads.find(ALICE, row.id) is None
            assert await stores.media.find(ALICE, row.media_id) is None
        assert (await stores.media.used(ALICE)).size_bytes == media.size_bytes

    async def test_a_request_that_was_seen_is_not_stored_again(self, stores: Stores) -> None:
        row = upload()
        await store_at_once(stores, row, segment())
        again = upload(request_id=row.request_id)
        assert await store_at_once(stores, again, segment()) is Completion.GONE
        assert await stores.uploads.find(ALICE, again.id) is None

    async def test_nothing_completes_behind_the_fence(self, stores: Stores) -> None:
        row = upload()
        await stores.uploads.add(row, quota=QUOTA)
        await stores.purge.raise_fences(ALICE, [Purpose.CLOUD_PROCESSING], 3)
        assert not await stores.uploads.commit(come_to(row, 400), segment(), tail=None)
        assert await stores.uploads.complete(row, media_of(row), segment(), event(), NOON) is Completion.GONE
        assert await stores.media.find(ALICE, row.media_id) is None

    async def test_one_original_is_kept_once(self, stores: Stores) -> None:
        media = await store(stores, upload())
        twin = upload(tag=media.tag)
        await stores.uploads.add(twin, quota=QUOTA)
        assert await stores.uploads.complete(twin, media_of(twin), segment(), event(), NOON) is Completion.KEPT_ALREADY
        assert await stores.media.find_tagged(ALICE, [media.tag]) == [media]
        assert await stores.uploads.find(ALICE, twin.id) == twin

    async def test_an_upload_of_what_is_kept_is_complete_with_it(self, stores: Stores) -> None:
        media = await store(stores, upload())
        twin = upload(tag=media.tag)
        await stores.uploads.add(twin, quota=QUOTA)
        await stores.uploads.complete_as_duplicate(twin, media_id=media.id, now=NOON)
        completed = await stores.uploads.find(ALICE, twin.id)
        assert completed is not None
        assert (completed.media_id, completed.complete_time, completed.data_key_id) == (media.id, NOON, None)
        assert [discard.data_key_id for discard in await stores.sweep.discards(10)] == [twin.data_key_id]
        assert (await stores.media.used(ALICE)).size_bytes == media.size_bytes

    async def test_the_original_takes_the_place_of_the_reduced_copy(self, stores: Stores) -> None:
        old_segment = segment()
        old = await store(stores, upload(size=1000), old_segment)
        row = upload(size=4000, media_id=old.id, tag=old.tag, form=MediaForm.ORIGINAL)
        await stores.uploads.add(row, quota=QUOTA)
        new = media_of(row, upload_time=old.upload_time, metadata_revision=2)
        last = segment()
        assert await stores.uploads.replace(row, new, last, event(), old=old, now=NOON) is Completion.STORED
        assert await stores.media.find(ALICE, old.id) == new
        assert await stores.media.segments(new.data_key_id) == [last.segment]
        [discard] = await stores.sweep.discards(10)
        assert (discard.data_key_id, discard.objects) == (old.data_key_id, (old_segment.segment.object,))
        assert (await stores.media.used(ALICE)).size_bytes == 4000

    async def test_what_was_replaced_already_is_not_replaced_again(self, stores: Stores) -> None:
        old = await store(stores, upload())
        row = upload(media_id=old.id, tag=old.tag, form=MediaForm.ORIGINAL)
        await stores.uploads.add(row, quota=QUOTA)
        stale = replace(old, data_key_id=uuid4())
        assert (
            await stores.uploads.replace(row, media_of(row), segment(), event(), old=stale, now=NOON) is Completion.GONE
        )
        assert await stores.media.find(ALICE, old.id) == old

    async def test_a_discarded_upload_leaves_its_stream_to_be_deleted(self, stores: Stores) -> None:
        row, first = upload(), segment()
        await stores.uploads.add(row, quota=QUOTA)
        await stores.uploads.commit(come_to(row, 400), first, tail=None)
        await stores.uploads.discard(BOB, row.id, NOON)
        assert await stores.uploads.find(ALICE, row.id) is not None
        await stores.uploads.discard(ALICE, row.id, NOON)
        assert await stores.uploads.find(ALICE, row.id) is None
        [discard] = await stores.sweep.discards(10)
        assert (discard.subject, discard.data_key_id, discard.objects) == (
            ALICE,
            row.data_key_id,
            (first.segment.object,),
        )
        assert (await stores.media.used(ALICE)).size_bytes == 0
        assert await stores.sweep.discards(10, {str(discard.data_key_id)}) == []
        await stores.sweep.delete_discard(discard.data_key_id)
        assert await stores.sweep.discards(10) == []

    async def test_forgetting_a_complete_upload_leaves_its_media(self, stores: Stores) -> None:
        row = upload()
        media = await store(stores, row)
        await stores.uploads.discard(ALICE, row.id, NOON)
        assert await stores.uploads.find(ALICE, row.id) is None
        assert await stores.media.find(ALICE, media.id) == media
        assert await stores.sweep.discards(10) == []

    async def test_a_request_for_what_is_kept_is_noted_once(self, stores: Stores) -> None:
        media = await store(stores, upload())
        note = upload(media_id=media.id, data_key_id=None, committed_bytes=1000, complete_time=NOON)
        await stores.uploads.add_complete(note, quota=QUOTA)
        await stores.uploads.add_complete(replace(note, id=uuid4()), quota=QUOTA)
        assert (await survey(stores, note)).earlier == (note,)
        assert (await stores.media.used(ALICE)).size_bytes == media.size_bytes


class MediaSuite:
    async def test_pages_go_from_the_newest_to_the_oldest_and_hold_each_media_once(self, stores: Stores) -> None:
        rows = []
        for minute in (3, 1, 2, 2):
            row = upload()
            await stores.uploads.add(row, quota=QUOTA)
            rows.append(media_of(row, upload_time=NOON + timedelta(minutes=minute)))
            await stores.uploads.complete(row, rows[-1], segment(), event(), NOON)
        await store(stores, upload(BOB))
        rows.sort(key=lambda row: (row.upload_time, row.id), reverse=True)
        first = await stores.media.page(ALICE, None, 2)
        second = await stores.media.page(ALICE, PageStart(first[-1].upload_time, first[-1].id), 3)
        assert first + second == rows
        oldest = await stores.media.page(ALICE, None, 3, newest_first=False)
        start = PageStart(oldest[-1].upload_time, oldest[-1].id)
        assert oldest + await stores.media.page(ALICE, start, 3, newest_first=False) == rows[::-1]

    async def test_a_dead_media_makes_room(self, stores: Stores) -> None:
        media = await store(stores, upload())
        await stores.media.discard(replace(media, data_key_id=uuid4()), NOON)
        assert await stores.media.find(ALICE, media.id) == media
        await stores.media.discard(media, NOON)
        assert await stores.media.find(ALICE, media.id) is None
        assert (await stores.media.used(ALICE)).size_bytes == 0
        assert [discard.data_key_id for discard in await stores.sweep.discards(10)] == [media.data_key_id]

    async def test_an_original_is_wanted_once_and_of_reduced_copies_alone(self, stores: Stores) -> None:
        reduced = await store(stores, upload())
        original = await store(stores, upload(form=MediaForm.ORIGINAL))
        ids = [reduced.id, original.id, uuid4()]
        assert await stores.media.want_originals("consumer", "event-1", BOB, ids) == 0
        assert await stores.media.want_originals("consumer", "event-2", ALICE, ids) == 1
        assert await stores.media.want_originals("consumer", "event-2", ALICE, ids) == 0
        assert await stores.media.find(ALICE, reduced.id) == replace(reduced, original_wanted=True)
        assert await stores.media.find(ALICE, original.id) == original


class LookupSuite:
    async def test_what_is_known_of_a_media_changes_revision_by_revision(self, stores: Stores) -> None:
        media = await store(stores, upload())
        changed = replace(media, sealed_metadata=b"sealed anew", metadata_revision=2)
        assert await stores.media.update(changed, event(), None, NOON, quota=QUOTA) is MediaUpdate.STORED
        assert await stores.media.find(ALICE, media.id) == changed
        assert await stores.media.update(changed, event(), None, NOON, quota=QUOTA) is MediaUpdate.STALE
        assert (
            await stores.media.update(replace(changed, subject=BOB), event(), None, NOON, quota=QUOTA)
            is MediaUpdate.STALE
        )

    async def test_a_request_changes_a_media_once(self, stores: Stores) -> None:
        media, request = await store(stores, upload()), Request(uuid4(), b"hide it")
        hidden = replace(media, sealed_metadata=b"hidden", metadata_revision=2)
        assert await stores.media.update(hidden, event(), request, NOON, quota=QUOTA) is MediaUpdate.STORED
        shown = replace(media, sealed_metadata=b"shown", metadata_revision=3)
        assert await stores.media.update(shown, event(), request, NOON, quota=QUOTA) is MediaUpdate.REPEATED
        other = Request(request.id, b"show it")
        assert await stores.media.update(shown, event(), other, NOON, quota=QUOTA) is MediaUpdate.REQUEST_ID_REUSED
        assert await stores.media.find(ALICE, media.id) == hidden

    async def test_a_request_that_changed_nothing_may_come_again(self, stores: Stores) -> None:
        media, request = await store(stores, upload()), Request(uuid4(), b"hide it")
        late = replace(media, sealed_metadata=b"hidden", metadata_revision=3)
        assert await stores.media.update(late, event(), request, NOON, quota=QUOTA) is MediaUpdate.STALE
        assert await stores.media.update(media, None, request, NOON, quota=QUOTA) is MediaUpdate.STORED
        assert await stores.media.update(media, None, request, NOON, quota=QUOTA) is MediaUpdate.REPEATED

    async def test_a_lookup_key_is_replaced_by_who_knows_the_one_before(self, stores: Stores) -> None:
        first, second = lookup_key(), lookup_key()
        assert await stores.lookup.find(ALICE) is None
        assert await stores.lookup.put(first, replaces=None)
        assert not await stores.lookup.put(second, replaces=None)
        assert not await stores.lookup.put(second, replaces=uuid4())
        assert await stores.lookup.find(ALICE) == first
        assert await stores.lookup.put(second, replaces=first.data_key_id)
        assert await stores.lookup.find(ALICE) == second
        assert await stores.lookup.find(BOB) is None


class SweepSuite:
    async def test_uploads_run_out(self, stores: Stores) -> None:
        soon, later = upload(expire_time=NOON), upload(expire_time=NOON + timedelta(seconds=1))
        for row in (soon, later):
            await stores.uploads.add(row, quota=QUOTA)
        expired = [ExpiredUpload(soon.id, ALICE, is_complete=False)]
        assert await stores.sweep.expired_uploads(NOON, 10) == expired
        assert await stores.sweep.expired_uploads(NOON, 10, {str(soon.id)}) == []
        await stores.sweep.delete_complete([soon.id])
        assert await stores.sweep.expired_uploads(NOON, 10) == expired

    async def test_complete_uploads_are_forgotten(self, stores: Stores) -> None:
        row = upload(expire_time=NOON)
        media = await store(stores, row)
        assert await stores.sweep.expired_uploads(NOON, 10) == [ExpiredUpload(row.id, ALICE, is_complete=True)]
        await stores.sweep.delete_complete([row.id])
        assert await stores.sweep.expired_uploads(NOON, 10) == []
        assert await stores.media.find(ALICE, media.id) == media

    async def test_objects_that_a_row_names_are_known(self, stores: Stores) -> None:
        kept, dropped = segment(), segment()
        await store(stores, upload(), kept)
        discarded = upload()
        await stores.uploads.add(discarded, quota=QUOTA)
        await stores.uploads.commit(come_to(discarded, 400), dropped, tail=None)
        await stores.uploads.discard(ALICE, discarded.id, NOON)
        names = [kept.segment.object, dropped.segment.object, "stranger"]
        assert await stores.sweep.unknown_objects(names) == {"stranger"}


class RequestSuite:
    async def test_a_request_id_is_one_requests(self, stores: Stores) -> None:
        request_id = uuid4()
        assert await remember(stores, ALICE, request_id, b"one", NOON) is Remembering.NOTED
        assert await remember(stores, ALICE, request_id, b"one", NOON + timedelta(hours=1)) is Remembering.NOTED
        assert await remember(stores, ALICE, request_id, b"other", NOON) is Remembering.REUSED
        assert await remember(stores, BOB, request_id, b"other", NOON) is Remembering.NOTED

    async def test_the_request_of_an_upload_is_no_other_calls(self, stores: Stores) -> None:
        row = upload()
        await stores.uploads.add(row, quota=QUOTA)
        assert await remember(stores, ALICE, row.request_id, b"delete", NOON) is Remembering.REUSED
        media, request = await store(stores, upload()), Request(row.request_id, b"hide it")
        assert await stores.media.update(media, None, request, NOON, quota=QUOTA) is MediaUpdate.REQUEST_ID_REUSED

    async def test_an_upload_learns_that_another_call_bears_its_request(self, stores: Stores) -> None:
        request_id = uuid4()
        await remember(stores, ALICE, request_id, b"delete", NOON)
        taken = await stores.uploads.survey(ALICE, request_id, bytes_tag=b"bytes", tag=b"tag")
        free = await stores.uploads.survey(BOB, request_id, bytes_tag=b"bytes", tag=b"tag")
        assert (taken.request_taken, free.request_taken) == (True, False)

    async def test_a_request_is_forgotten_after_its_time(self, stores: Stores) -> None:
        request_id = uuid4()
        await remember(stores, ALICE, request_id, b"one", NOON)
        await stores.sweep.forget_requests(NOON)
        assert await remember(stores, ALICE, request_id, b"other", NOON) is Remembering.REUSED
        await stores.sweep.forget_requests(NOON + timedelta(seconds=1))
        assert await remember(stores, ALICE, request_id, b"other", NOON) is Remembering.NOTED


class PurgeSuite:
    async def test_a_purge_by_key_takes_all_that_the_key_sealed(self, stores: Stores) -> None:
        row, last = upload(), segment()
        media, other = await store(stores, row, last), await store(stores, upload())
        await stores.lookup.put(lookup_key(), replaces=None)
        erasure = order(DataKeyScope((str(media.data_key_id),)), PurgeCause.ERASURE)
        assert await stores.purge.objects(erasure) == [last.segment.object]
        counts, late = await stores.purge.delete(erasure)
        assert (dict(counts), late) == (_counts(media=1, upload=1, segment=1), [])
        assert await stores.media.find(ALICE, media.id) is None
        assert await stores.media.find(ALICE, other.id) == other
        assert await stores.uploads.find(ALICE, row.id) is None
        assert await stores.media.segments(media.data_key_id) == []
        assert (await stores.media.used(ALICE)).size_bytes == other.size_bytes

    async def test_a_purge_carried_out_twice_is_the_same_as_once(self, stores: Stores) -> None:
        media = await store(stores, upload())
        erasure = order(DataKeyScope((str(media.data_key_id),)), PurgeCause.ERASURE)
        await stores.purge.delete(erasure)
        counts, late = await stores.purge.delete(erasure)
        assert (dict(counts), late) == (_counts(), [])

    async def test_what_its_owner_deleted_is_remembered_by_its_tag(self, stores: Stores) -> None:
        deleted, expired = await store(stores, upload()), await store(stores, upload())
        await stores.lookup.put(lookup_key(), replaces=None)
        await stores.purge.delete(order(DataKeyScope((str(deleted.data_key_id),)), PurgeCause.ERASURE))
        await stores.purge.delete(order(DataKeyScope((str(expired.data_key_id),)), PurgeCause.DEADLINE))
        tags = [deleted.tag, expired.tag]
        assert await stores.media.deleted_tags(ALICE, tags) == {deleted.tag}
        assert await stores.media.deleted_tags(BOB, tags) == set()
        assert await stores.media.was_deleted(ALICE, deleted.id)
        assert not await stores.media.was_deleted(BOB, deleted.id)
        assert not await stores.media.was_deleted(ALICE, expired.id)
        await stores.sweep.forget_deleted(NOON)
        assert await stores.media.was_deleted(ALICE, deleted.id)
        await stores.sweep.forget_deleted(NOON + timedelta(seconds=1))
        assert not await stores.media.was_deleted(ALICE, deleted.id)

    async def test_what_its_owner_deletes_is_remembered_before_the_purge_and_once(self, stores: Stores) -> None:
        media = await store(stores, upload())
        await stores.lookup.put(lookup_key(), replaces=None)
        await stores.media.tell_deleted(BOB, media.id, NOON)
        assert await stores.media.deleted_tags(ALICE, [media.tag]) == set()
        await stores.media.tell_deleted(ALICE, media.id, NOON)
        assert await stores.media.deleted_tags(ALICE, [media.tag]) == {media.tag}
        await stores.purge.delete(order(DataKeyScope((str(media.data_key_id),)), PurgeCause.ERASURE))
        assert await stores.media.deleted_tags(ALICE, [media.tag]) == {media.tag}

    async def test_what_comes_in_again_is_no_longer_remembered_as_deleted(self, stores: Stores) -> None:
        media = await store(stores, upload())
        await stores.lookup.put(lookup_key(), replaces=None)
        await stores.purge.delete(order(DataKeyScope((str(media.data_key_id),)), PurgeCause.ERASURE))
        await store(stores, upload(tag=media.tag))
        assert await stores.media.deleted_tags(ALICE, [media.tag]) == set()

    async def test_a_purge_by_purpose_takes_what_is_under_its_revision(self, stores: Stores) -> None:
        older = await store(stores, upload(purpose=Purpose.OLDER_MEDIA, purpose_revision=5))
        newer = await store(stores, upload(purpose=Purpose.OLDER_MEDIA, purpose_revision=6))
        recent = await store(stores, upload(purpose_revision=3))
        others = await store(stores, upload(BOB, purpose=Purpose.OLDER_MEDIA, purpose_revision=5))
        key = lookup_key()
        await stores.lookup.put(key, replaces=None)
        counts, _ = await stores.purge.delete(order(PurposeScope("OLDER_MEDIA", 5)))
        assert dict(counts) == _counts(media=1, upload=1, segment=1)
        assert await stores.media.find(ALICE, older.id) is None
        assert await stores.media.find(ALICE, newer.id) == newer
        assert await stores.media.find(ALICE, recent.id) == recent
        assert await stores.media.find(BOB, others.id) == others
        assert await stores.lookup.find(ALICE) == key

    async def test_a_purge_of_a_person_takes_everything(self, stores: Stores) -> None:
        await store(stores, upload(purpose=Purpose.OLDER_MEDIA, purpose_revision=5))
        deleted = await store(stores, upload())
        await stores.lookup.put(lookup_key(), replaces=None)
        await stores.purge.delete(order(DataKeyScope((str(deleted.data_key_id),)), PurgeCause.ERASURE))
        discarded, dropped = upload(), segment()
        await stores.uploads.add(discarded, quota=QUOTA)
        await stores.uploads.commit(come_to(discarded, 400), dropped, tail=None)
        await stores.uploads.discard(ALICE, discarded.id, NOON)
        running, piece = upload(), segment()
        await stores.uploads.add(running, quota=QUOTA)
        await stores.uploads.commit(come_to(running, 400), piece, tail=None)
        await remember(stores, ALICE, uuid4(), b"before", NOON)
        await remember(stores, ALICE, uuid4(), b"after", NOON + timedelta(seconds=1))
        everything = order(SubjectScope(6, NOON))
        assert {piece.segment.object, dropped.segment.object} < set(await stores.purge.objects(everything))
        counts, late = await stores.purge.delete(everything)
        expected = _counts(media=1, upload=2, segment=2, discard=1, lookup_key=1, deleted_media=1, request=1)
        assert (dict(counts), late) == (expected, [])
        assert (await stores.media.used(ALICE)).size_bytes == 0
        assert await stores.media.page(ALICE, None, 10) == []

    async def test_what_came_in_after_a_later_consent_survives_the_purge_of_a_person(self, stores: Stores) -> None:
        media = await store(stores, upload(purpose_revision=7))
        key = lookup_key(revision=7)
        await stores.lookup.put(key, replaces=None)
        counts, _ = await stores.purge.delete(order(SubjectScope(6, NOON)))
        assert dict(counts) == _counts()
        assert await stores.media.find(ALICE, media.id) == media
        assert await stores.lookup.find(ALICE) == key

    async def test_a_fence_never_sinks(self, stores: Stores) -> None:
        await stores.purge.raise_fences(ALICE, MEDIA_PURPOSES, 5)
        await stores.purge.raise_fences(ALICE, MEDIA_PURPOSES, 4)
        assert await stores.uploads.add(upload(purpose_revision=5), quota=QUOTA) is Addition.FENCED


class MissingSuite:
    async def test_what_is_kept_is_handed_out_in_pages_with_its_objects(self, stores: Stores) -> None:
        rows = [upload(), upload(BOB), upload()]
        kept = {(await store(stores, row, new)).id: new.segment for row in rows for new in [segment()]}
        first = await stores.missing.streams(UUID(int=0), 2)
        last = await stores.missing.streams(first[-1].id, 2)
        pages = [*first, *last]
        assert [stream.id for stream in pages] == sorted(kept)
        assert {stream.id: stream.segments for stream in pages} == {id_: (each,) for id_, each in kept.items()}

    async def test_a_media_is_marked_once_and_shown_as_missing(self, stores: Stores) -> None:
        media = await store(stores, row := upload())
        marked = [await stores.missing.mark(media, NOON, broken=False) for _ in range(2)]
        (stream,) = await stores.missing.streams(UUID(int=0), 10)
        found = await stores.media.find(ALICE, media.id)
        tagged, surveyed = await stores.media.find_tagged(ALICE, [row.tag]), await survey(stores, row)
        assert (marked, stream.missing) == ([True, False], True)
        assert [each and each.missing for each in (found, tagged[0], surveyed.kept[0])] == [True, True, True]

    async def test_what_is_there_again_is_missing_no_more_and_what_is_broken_must_have_been_opened(
        self, stores: Stores
    ) -> None:
        absent, broken = await store(stores, upload()), await store(stores, upload())
        await stores.missing.mark(absent, NOON, broken=False)
        await stores.missing.mark(broken, NOON, broken=True)
        seen = [await stores.missing.unmark(each, opened=False) for each in (absent, broken)]
        opened = [await stores.missing.unmark(each, opened=True) for each in (absent, broken)]
        assert (seen, opened) == ([True, False], [False, True])

    async def test_it_goes_with_its_media(self, stores: Stores) -> None:
        media = await store(stores, upload())
        await stores.missing.mark(media, NOON, broken=False)
        counts, _ = await stores.purge.delete(order(DataKeyScope((str(media.data_key_id),))))
        assert counts["ingest.table.missing_media"] == 1
        assert not await stores.missing.unmark(media, opened=True)

    async def test_a_media_that_was_replaced_or_is_gone_is_not_marked(self, stores: Stores) -> None:
        media = await store(stores, upload())
        other = replace(media, data_key_id=uuid4())
        assert not await stores.missing.mark(other, NOON, broken=False)
        await stores.media.discard(media, NOON)
        assert not await stores.missing.mark(media, NOON, broken=False)


class StoreSuite(UploadSuite, MediaSuite, MissingSuite, RequestSuite, LookupSuite, SweepSuite, PurgeSuite):
    """All of it."""


def _counts(**counts: int) -> dict[str, int]:
    tables: tuple[str, ...] = ("media", "missing_media", "upload", "segment", "discard")
    tables += ("lookup_key", "deleted_media", "request", "usage", "device")
    return {f"ingest.table.{table}": counts.get(table, 0) for table in tables}
