import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from pellicule.internal.ingest.v1 import media_stored_pb2
from services.chassis.errors import DependencyUnavailable, FieldInvalid
from services.chassis.seal import CHUNK_SIZE, MAX_PARTS, SEALED_CHUNK_SIZE, open_bytes, open_object
from services.ingest.domain.media import Media, MediaForm
from services.ingest.domain.policy import Policy
from services.ingest.domain.quota import ROW_BYTES
from services.ingest.errors import (
    ChecksumMismatch,
    ContentRefused,
    MediaCorrupt,
    MediaNotFound,
    MediaTooManyPixels,
    MediaTypeUnsupported,
    OutsideWindow,
    QuotaExceeded,
    SizeMismatch,
    UploadNotFound,
    UploadOffsetWrong,
    UploadTakenOver,
)
from services.ingest.operations.cancel_upload import cancel_upload
from services.ingest.operations.find_media import get_media
from services.ingest.operations.find_uploads import get_upload
from services.ingest.operations.read_media import read_media
from services.ingest.operations.receive_upload import receive, receive_whole, start_and_receive
from services.ingest.operations.upload_transfer import Received
from services.keyring import Purpose, PurposeNotGranted, artefact_aad, metadata_aad
from tests.unit.ingest.harness import ALICE, BOB, Harness, announce, announce_reduced, pieces, stream
from tests.unit.ingest.pictures import exif_block, motion_photo, picture, png_bomb, taken_at

LARGE = motion_photo(64, 48) + bytes(3 * CHUNK_SIZE)
"""A picture of more than three chunks."""


async def read(harness: Harness, media_id: object, subject: str = ALICE) -> bytes:
    found = await read_media(harness.dependencies, subject=subject, media_id=media_id)  # type: ignore[arg-type]
    return b"".join([piece async for piece in found.chunks])


class TestOneGo:
    async def test_a_picture_comes_back_byte_for_byte(self, harness: Harness) -> None:
        content = picture("JPEG", 640, 480)
        media_id = await harness.keep(content)
        assert await read(harness, media_id) == content

    async def test_a_small_picture_is_one_object_and_nothing_of_it_stands_in_clear(self, harness: Harness) -> None:
        content = picture("JPEG", 640, 480)
        await harness.keep(content, file_name="at the clinic.jpg")
        [stored] = harness.objects.objects.values()
        everything = repr(harness.tables).encode() + stored
        digest = hashlib.sha256(content)
        secrets = (content[2000:2064], digest.digest(), digest.hexdigest().encode(), b"clinic")
        assert [secret for secret in secrets if secret in everything] == []

    async def test_the_event_tells_how_to_open_it_and_nothing_else(self, harness: Harness) -> None:
        content = picture()
        media_id = await harness.keep(content)
        [event] = harness.tables.events
        message = media_stored_pb2.MediaStored.FromString(event.body)
        row = harness.tables.media[media_id]
        keys = await harness.keyring.open(subject=ALICE, purpose=row.purpose, ids=[message.data_key_id])
        key = keys[message.data_key_id]
        sealed = b"".join([harness.objects.objects["media", piece.object] for piece in message.segments])
        assert open_object(key, sealed, artefact_aad(row.data_key_id, row.purpose)) == content
        metadata = media_stored_pb2.MediaMetadata.FromString(
            open_bytes(key, message.sealed_metadata, metadata_aad(row.data_key_id))
        )
        assert (metadata.file_name, metadata.sha256) == ("IMG_0001.jpg", hashlib.sha256(content).digest())
        assert (event.subject, message.media) == (f"media/{media_id}", f"media/{media_id}")
        assert sum(piece.size_bytes for piece in message.segments) == len(sealed)

    async def test_it_is_gone_thirty_days_after_its_upload(self, harness: Harness) -> None:
        media_id = await harness.keep()
        media = await get_media(harness.dependencies, subject=ALICE, media_id=media_id)
        assert media.delete_time - media.upload_time == timedelta(days=30)
        await harness.clock.advance(timedelta(days=30))
        with pytest.raises(MediaNotFound):
            await get_media(harness.dependencies, subject=ALICE, media_id=media_id)

    async def test_a_large_picture_is_stored_in_segments(self) -> None:
        harness = Harness(policy=Policy(segment_bytes=CHUNK_SIZE))
        harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
        media_id = await harness.keep(LARGE)
        assert len(harness.objects.objects) == 4
        assert await read(harness, media_id) == LARGE
        assert len(harness.dependencies.writers) == 0

    async def test_what_is_kept_is_described_by_its_content(self, harness: Harness) -> None:
        content = picture(
            "JPEG", 100, 60, exif=exif_block("2026:02:27 10:00:00", "+01:00", orientation=6, fraction="25")
        )
        media_id = await harness.keep(content, width=7, height=7, content_type="image/png", favorite=True)
        metadata = (await get_media(harness.dependencies, subject=ALICE, media_id=media_id)).metadata
        assert (metadata.width, metadata.height, metadata.orientation) == (60, 100, 6)
        assert (metadata.content_type, metadata.favorite) == ("image/jpeg", True)
        assert metadata.capture_time == datetime(2026, 2, 27, 9, 0, 0, 250_000, tzinfo=UTC)
        assert metadata.capture_utc_offset == timedelta(hours=1)

    async def test_a_reduced_copy_bears_the_size_of_its_original(self, harness: Harness) -> None:
        original, reduced = picture("JPEG", 400, 300), picture("JPEG", 100, 75)
        announced = announce_reduced(harness.now, original, reduced, width=4000, height=3000)
        received = await harness.upload(announced, reduced)
        assert received.media is not None
        metadata = received.media.metadata
        assert (metadata.width, metadata.height, metadata.form) == (4000, 3000, MediaForm.REDUCED)
        assert (metadata.sha256, metadata.size_bytes) == (hashlib.sha256(original).digest(), len(reduced))

    async def test_a_key_that_sealed_nothing_is_destroyed(self, harness: Harness) -> None:
        await harness.dependencies.lookup_keys.open(ALICE)
        keys_before = set(harness.keyring.alive)
        with pytest.raises(MediaTypeUnsupported):
            await harness.upload(announce(harness.now, b"text" * 100), b"text" * 100)
        assert harness.keyring.alive == keys_before
        assert harness.tables.uploads == {}

    async def test_two_go_as_one_if_the_bytes_are_the_same(self, harness: Harness) -> None:
        content = picture()
        announced = announce(harness.now, content)
        first, second = await asyncio.gather(harness.upload(announced, content), harness.upload(announced, content))
        assert first.media is not None
        assert second.media is not None
        assert first.media.id == second.media.id
        assert len(harness.tables.media) == 1
        await harness.sweep.clear_discards()
        assert len(harness.objects.objects) == 1
        assert harness.tables.used[ALICE] == len(content)


class TestResuming:
    async def test_a_broken_stream_goes_on_from_its_last_byte(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))
        with pytest.raises(ConnectionResetError):
            await receive(
                harness.dependencies,
                subject=ALICE,
                upload_id=upload_id,
                offset=0,
                chunks=breaking(LARGE[: 2 * CHUNK_SIZE + 5]),
            )
        await harness.dependencies.background.finish()
        upload = await get_upload(harness.dependencies, subject=ALICE, upload_id=upload_id)
        assert upload.committed_bytes == 2 * CHUNK_SIZE + 5
        received = await harness.send(upload_id, *pieces(LARGE[2 * CHUNK_SIZE + 5 :]), offset=2 * CHUNK_SIZE + 5)
        assert received.media is not None
        assert await read(harness, received.media.id) == LARGE

    async def test_other_bytes_in_the_place_of_lost_ones_never_share_a_nonce_with_them(self) -> None:
        """Two chunks under one nonce would give away what differs between them, and the key of their seals."""
        harness = Harness(policy=Policy(segment_bytes=CHUNK_SIZE))
        harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
        head, lost, other = LARGE[: CHUNK_SIZE + 1], bytes(CHUNK_SIZE), b"\x5a" * CHUNK_SIZE
        upload_id = await harness.start(announce(harness.now, LARGE))
        await harness.send(upload_id, *pieces(head))
        harness.tables.is_down = True
        with pytest.raises(DependencyUnavailable):
            await harness.send(upload_id, *pieces(lost), offset=len(head))
        harness.tables.is_down = False
        await harness.send(upload_id, *pieces(other), offset=len(head))
        sealed = {content for content in harness.objects.objects.values() if len(content) == SEALED_CHUNK_SIZE}
        one, two = (content[1:CHUNK_SIZE] for content in sealed)
        assert {a ^ b for a, b in zip(one, two, strict=True)} != {0x5A}

    async def test_an_upload_that_was_gone_on_with_too_often_begins_anew(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))
        await harness.send(upload_id, *pieces(LARGE[: 2 * CHUNK_SIZE]))
        harness.tables.uploads[upload_id] = replace(harness.tables.uploads[upload_id], writer=MAX_PARTS)
        with pytest.raises(UploadNotFound):
            await harness.send(upload_id, *pieces(LARGE[2 * CHUNK_SIZE :]), offset=2 * CHUNK_SIZE)
        assert upload_id not in harness.tables.uploads

    async def test_a_cancelled_stream_is_saved_after_its_call(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))
        waiting = asyncio.Event()
        call = asyncio.create_task(
            receive(
                harness.dependencies,
                subject=ALICE,
                upload_id=upload_id,
                offset=0,
                chunks=stalling(LARGE[: 3 * CHUNK_SIZE], waiting),
            )
        )
        await waiting.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await harness.dependencies.background.finish()
        upload = await get_upload(harness.dependencies, subject=ALICE, upload_id=upload_id)
        assert upload.committed_bytes == 3 * CHUNK_SIZE
        assert len(harness.dependencies.writers) == 0

    async def test_a_stream_that_started_its_upload_can_be_resumed_by_its_request(self, harness: Harness) -> None:
        announced, request_id = announce(harness.now, LARGE), uuid4()
        with pytest.raises(ConnectionResetError):
            await start_and_receive(
                harness.dependencies,
                subject=ALICE,
                request_id=request_id,
                announcement=announced,
                chunks=breaking(LARGE[: 2 * CHUNK_SIZE]),
            )
        await harness.dependencies.background.finish()
        with pytest.raises(UploadOffsetWrong) as wrong:
            await start_and_receive(
                harness.dependencies, subject=ALICE, request_id=request_id, announcement=announced, chunks=stream()
            )
        upload_id = await harness.start(announced, request_id=request_id)
        assert wrong.value.metadata == {"upload": f"uploads/{upload_id}", "committed_size_bytes": str(2 * CHUNK_SIZE)}
        received = await start_and_receive(
            harness.dependencies,
            subject=ALICE,
            request_id=request_id,
            announcement=announced,
            chunks=stream(*pieces(LARGE[2 * CHUNK_SIZE :])),
            offset=2 * CHUNK_SIZE,
        )
        assert received.media is not None

    async def test_a_stream_that_ends_early_commits_what_it_brought(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))
        received = await harness.send(upload_id, *pieces(LARGE[: 2 * CHUNK_SIZE + 1]))
        assert (received.upload.committed_bytes, received.media) == (2 * CHUNK_SIZE + 1, None)
        assert len(harness.dependencies.writers) == 0

    async def test_a_stream_that_falls_silent_ends(self) -> None:
        harness = Harness(policy=Policy(idle_seconds=0.01))
        harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
        upload_id = await harness.start(announce(harness.now, LARGE))
        received = await receive(
            harness.dependencies,
            subject=ALICE,
            upload_id=upload_id,
            offset=0,
            chunks=stalling(LARGE[: 2 * CHUNK_SIZE], asyncio.Event()),
        )
        assert received.upload.committed_bytes == 2 * CHUNK_SIZE

    async def test_a_wrong_offset_is_told_the_right_one(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))
        await harness.send(upload_id, *pieces(LARGE[: 2 * CHUNK_SIZE]))
        with pytest.raises(UploadOffsetWrong) as wrong:
            await harness.send(upload_id, LARGE[:10], offset=0)
        assert wrong.value.metadata["committed_size_bytes"] == str(2 * CHUNK_SIZE)

    async def test_a_complete_upload_answers_with_its_media(self, harness: Harness) -> None:
        content = picture()
        upload_id = await harness.start(announce(harness.now, content))
        first = await harness.send(upload_id, content)
        again = await harness.send(upload_id, content)
        assert again.media == first.media
        assert len(harness.tables.events) == 1

    async def test_what_came_is_committed_within_a_second_however_little_it_is(self) -> None:
        harness = Harness(policy=Policy(commit_seconds=0.01))
        harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
        upload_id, committed = await harness.start(announce(harness.now, LARGE)), asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            for size in (10, 20, 30):
                yield LARGE[size - 10 : size]
                while harness.tables.uploads[upload_id].committed_bytes < size:  # noqa: ASYNC110 - of a fake table
                    await asyncio.sleep(0.001)
            committed.set()
            await asyncio.Event().wait()

        first = asyncio.create_task(
            receive(harness.dependencies, subject=ALICE, upload_id=upload_id, offset=0, chunks=slowly())
        )
        await asyncio.wait_for(committed.wait(), 10)
        received = await harness.send(upload_id, *pieces(LARGE[30:]), offset=30)
        assert received.media is not None
        assert await read(harness, received.media.id) == LARGE
        with pytest.raises(UploadTakenOver):
            await first

    async def test_the_newest_stream_takes_an_upload_over_at_once(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))
        waiting = asyncio.Event()
        first = asyncio.create_task(
            receive(
                harness.dependencies,
                subject=ALICE,
                upload_id=upload_id,
                offset=0,
                chunks=stalling(LARGE[:CHUNK_SIZE], waiting),
            )
        )
        await waiting.wait()
        received = await harness.send(upload_id, *pieces(LARGE))
        with pytest.raises(UploadTakenOver):
            await first
        assert received.media is not None
        assert await read(harness, received.media.id) == LARGE
        assert len(harness.dependencies.writers) == 0

    async def test_a_stream_of_another_process_learns_of_a_newer_one_with_its_next_commit(
        self, harness: Harness
    ) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))

        async def interrupted() -> AsyncIterator[bytes]:
            yield LARGE[:CHUNK_SIZE]
            await harness.dependencies.uploads.take_over(ALICE, upload_id)

        with pytest.raises(UploadTakenOver):
            await receive(harness.dependencies, subject=ALICE, upload_id=upload_id, offset=0, chunks=interrupted())
        assert harness.tables.uploads[upload_id].committed_bytes == 0
        await harness.send(upload_id, *pieces(LARGE))

    async def test_a_request_that_comes_again_before_anything_is_stored_takes_its_stream_over(
        self, harness: Harness
    ) -> None:
        announced, request_id, waiting = announce(harness.now, LARGE), uuid4(), asyncio.Event()

        async def go(chunks: AsyncIterator[bytes]) -> Received:
            return await start_and_receive(
                harness.dependencies, subject=ALICE, request_id=request_id, announcement=announced, chunks=chunks
            )

        first = asyncio.create_task(go(stalling(LARGE[:10], waiting)))
        await waiting.wait()
        second = await go(stream(*pieces(LARGE)))
        with pytest.raises(UploadTakenOver):
            await first
        assert second.media is not None
        assert list(harness.tables.media) == [second.media.id]

    async def test_a_cancelled_upload_ends_its_stream(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))

        async def cancelled() -> AsyncIterator[bytes]:
            yield LARGE[:CHUNK_SIZE]
            await cancel_upload(harness.dependencies, subject=ALICE, upload_id=upload_id)

        with pytest.raises(UploadNotFound):
            await receive(harness.dependencies, subject=ALICE, upload_id=upload_id, offset=0, chunks=cancelled())
        await harness.sweep.clear_discards()
        assert (harness.objects.objects, harness.tables.used[ALICE]) == ({}, 0)

    async def test_an_upload_lasts_a_day(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))
        await harness.send(upload_id, *pieces(LARGE[: 2 * CHUNK_SIZE]))
        await harness.clock.advance(timedelta(hours=24))
        for call in (
            get_upload(harness.dependencies, subject=ALICE, upload_id=upload_id),
            harness.send(upload_id, LARGE[CHUNK_SIZE : 2 * CHUNK_SIZE], offset=CHUNK_SIZE),
        ):
            with pytest.raises(UploadNotFound):
                await call
        assert await harness.sweep.expire_uploads() == 1
        await harness.sweep.clear_discards()
        assert (harness.objects.objects, harness.tables.uploads, harness.tables.used[ALICE]) == ({}, {}, 0)

    async def test_the_store_failing_loses_nothing_that_was_committed(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))
        await harness.send(upload_id, *pieces(LARGE[: 2 * CHUNK_SIZE + 1]))
        objects = harness.dependencies.objects
        object.__setattr__(harness.dependencies, "objects", FailingObjects(harness))
        with pytest.raises(DependencyUnavailable):
            await harness.send(upload_id, *pieces(LARGE[2 * CHUNK_SIZE + 1 :]), offset=2 * CHUNK_SIZE + 1)
        object.__setattr__(harness.dependencies, "objects", objects)
        received = await harness.send(upload_id, *pieces(LARGE[2 * CHUNK_SIZE + 1 :]), offset=2 * CHUNK_SIZE + 1)
        assert received.media is not None


class TestWhole:
    async def go(self, harness: Harness, content: bytes, *chunks: bytes, request_id: UUID | None = None) -> Media:
        media = await receive_whole(
            harness.dependencies,
            subject=ALICE,
            request_id=request_id or uuid4(),
            announcement=announce(harness.now, content, client_id="asset"),
            chunks=stream(*chunks),
        )
        await harness.dependencies.background.finish()
        return media

    async def test_a_file_is_stored_whole_and_once(self, harness: Harness) -> None:
        content, request_id = picture(), uuid4()
        first = await self.go(harness, content, content, request_id=request_id)
        assert await self.go(harness, content, request_id=request_id) == first
        assert await read(harness, first.id) == content

    async def test_a_file_that_is_not_sent_whole_leaves_nothing(self, harness: Harness) -> None:
        with pytest.raises(FieldInvalid, match="announced"):
            await self.go(harness, picture(), picture()[:100])
        await harness.sweep.clear_discards()
        assert (harness.tables.uploads, harness.objects.objects, harness.tables.used[ALICE]) == ({}, {}, 0)

    async def test_what_an_older_stream_left_of_it_is_given_up(self, harness: Harness) -> None:
        content = picture()
        upload_id = await harness.start(announce(harness.now, content))
        await harness.send(upload_id, content[:100])
        media = await self.go(harness, content, content)
        assert await read(harness, media.id) == content
        assert upload_id not in harness.tables.uploads


class TestRefusals:
    @pytest.mark.parametrize("in_one_go", [True, False])
    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (b"Dear diary, it rained.\n" * 50, MediaTypeUnsupported),
            (picture("WEBP", 320, 240)[:-200], MediaCorrupt),
            (png_bomb(), MediaTooManyPixels),
        ],
        ids=["text", "truncated", "bomb"],
    )
    async def test_bad_content_is_refused_by_name_and_leaves_nothing(
        self, harness: Harness, content: bytes, error: type[ContentRefused], in_one_go: bool
    ) -> None:
        announced = announce(harness.now, content, file_name="beach/IMG_7.jpg")
        sending = (
            harness.upload(announced, content) if in_one_go else harness.send(await harness.start(announced), content)
        )
        with pytest.raises(error, match="beach/IMG_7") as refused:
            await sending
        assert refused.value.metadata["file_name"] == "beach/IMG_7.jpg"
        await harness.dependencies.background.finish()
        await harness.sweep.clear_discards()
        assert (harness.objects.objects, harness.tables.uploads, harness.tables.media) == ({}, {}, {})
        assert harness.tables.used.get(ALICE, 0) == 0

    async def test_bytes_that_are_not_those_announced_are_refused(self, harness: Harness) -> None:
        content, other = picture(seed=1), picture(seed=2)
        announced = replace(announce(harness.now, content), size_bytes=len(other))
        with pytest.raises(ChecksumMismatch) as refused:
            await harness.upload(announced, other)
        assert refused.value.metadata["received"] == hashlib.sha256(other).hexdigest()
        assert harness.tables.media == {}

    async def test_more_bytes_than_announced_are_refused(self, harness: Harness) -> None:
        content = picture()
        upload_id = await harness.start(announce(harness.now, content))
        with pytest.raises(SizeMismatch):
            await harness.send(upload_id, content, b"x")
        with pytest.raises(UploadNotFound):
            await get_upload(harness.dependencies, subject=ALICE, upload_id=upload_id)

    async def test_a_message_of_more_than_a_mebibyte_is_refused_and_the_upload_goes_on(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))
        with pytest.raises(FieldInvalid):
            await harness.send(upload_id, LARGE[: CHUNK_SIZE + 1])
        assert (await get_upload(harness.dependencies, subject=ALICE, upload_id=upload_id)).committed_bytes == 0

    async def test_a_picture_older_than_announced_is_refused(self, harness: Harness) -> None:
        content = picture(exif=taken_at(harness.now - timedelta(days=40)))
        with pytest.raises(OutsideWindow):
            await harness.upload(announce(harness.now, content), content)
        assert harness.tables.media == {}

    async def test_another_person_cannot_see_an_upload(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))
        for call in (
            get_upload(harness.dependencies, subject=BOB, upload_id=upload_id),
            harness.send(upload_id, LARGE[:10], subject=BOB),
        ):
            with pytest.raises(UploadNotFound):
                await call


class TestConsent:
    async def test_without_a_grant_nothing_is_taken(self, harness: Harness) -> None:
        harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
        content = picture()
        with pytest.raises(PurposeNotGranted):
            await harness.upload(announce(harness.now, content), content)
        with pytest.raises(PurposeNotGranted):
            await harness.start(announce(harness.now, content))
        assert (harness.objects.objects, harness.tables.uploads) == ({}, {})

    async def test_a_withdrawal_stops_a_running_stream(self, harness: Harness) -> None:
        upload_id = await harness.start(announce(harness.now, LARGE))

        async def chunks() -> AsyncIterator[bytes]:
            yield LARGE[:CHUNK_SIZE]
            await harness.withdraw(harness.tables.uploads[upload_id].purpose)
            yield LARGE[CHUNK_SIZE : 2 * CHUNK_SIZE]

        with pytest.raises(PurposeNotGranted):
            await receive(harness.dependencies, subject=ALICE, upload_id=upload_id, offset=0, chunks=chunks())
        await harness.dependencies.background.finish()
        assert (harness.objects.objects, harness.tables.uploads) == ({}, {})

    async def test_a_withdrawal_with_the_last_byte_lets_no_media_in(self, harness: Harness) -> None:
        content = picture()

        async def chunks() -> AsyncIterator[bytes]:
            yield content
            await harness.withdraw(Purpose.CLOUD_PROCESSING)

        with pytest.raises(PurposeNotGranted):
            await start_and_receive(
                harness.dependencies,
                subject=ALICE,
                request_id=uuid4(),
                announcement=announce(harness.now, content),
                chunks=chunks(),
            )
        await harness.dependencies.background.finish()
        assert harness.tables.media == {}

    async def test_older_media_are_sealed_for_their_own_purpose(self, harness: Harness) -> None:
        harness.keyring.grant(ALICE, "OLDER_MEDIA")
        media_id = await harness.keep(capture_time=harness.now - timedelta(days=400))
        assert harness.tables.media[media_id].purpose == "OLDER_MEDIA"
        await harness.withdraw(harness.tables.media[media_id].purpose)
        assert (harness.tables.media, harness.objects.objects) == ({}, {})

    async def test_older_media_need_their_purpose_and_its_reach(self, harness: Harness) -> None:
        content = picture()
        old = announce(harness.now, content, capture_time=harness.now - timedelta(days=400))
        with pytest.raises(PurposeNotGranted) as missing:
            await harness.start(old)
        assert missing.value.metadata == {"purpose": "OLDER_MEDIA"}
        harness.keyring.grant(ALICE, "OLDER_MEDIA", reach_back=harness.now - timedelta(days=399))
        with pytest.raises(OutsideWindow):
            await harness.start(old)
        harness.keyring.grant(ALICE, "OLDER_MEDIA", reach_back=harness.now - timedelta(days=401))
        await harness.start(old)

    async def test_a_narrowed_reach_takes_along_what_was_taken_before_it(self, harness: Harness) -> None:
        harness.keyring.grant(ALICE, "OLDER_MEDIA")
        old, newer = [
            await harness.keep(picture(seed=ago), capture_time=harness.now - timedelta(days=ago)) for ago in (400, 90)
        ]
        keys = {media: str(harness.tables.media[media].data_key_id) for media in (old, newer)}
        harness.keyring.grant(ALICE, "OLDER_MEDIA", reach_back=harness.now - timedelta(days=100))
        opened = await harness.keyring.open(subject=ALICE, purpose="OLDER_MEDIA", ids=list(keys.values()))
        assert list(opened) == [keys[newer]]

    async def test_a_camera_time_beyond_the_reach_is_refused(self, harness: Harness) -> None:
        harness.keyring.grant(ALICE, "OLDER_MEDIA", reach_back=harness.now - timedelta(days=100))
        content = picture(exif=taken_at(harness.now - timedelta(days=200)))
        announced = announce(harness.now, content, capture_time=harness.now - timedelta(days=50))
        with pytest.raises(OutsideWindow):
            await harness.upload(announced, content)


class TestRepeating:
    async def test_a_request_repeated_returns_the_same_upload(self, harness: Harness) -> None:
        announced, request_id = announce(harness.now, LARGE), uuid4()
        first = await harness.start(announced, request_id=request_id)
        assert await harness.start(announced, request_id=request_id) == first
        assert await harness.start(announced) == first

    async def test_a_file_that_is_kept_is_not_uploaded_again(self, harness: Harness) -> None:
        content = picture()
        media_id = await harness.keep(content)
        upload_id = await harness.start(announce(harness.now, content))
        upload = await get_upload(harness.dependencies, subject=ALICE, upload_id=upload_id)
        assert (upload.media_id, upload.committed_bytes) == (media_id, len(content))
        assert (await harness.upload(announce(harness.now, content), content)).upload.media_id == media_id

    async def test_two_persons_may_keep_the_same_file(self, harness: Harness) -> None:
        content = picture()
        mine, theirs = await harness.keep(content), await harness.keep(content, subject=BOB)
        assert mine != theirs
        assert harness.tables.media[mine].tag != harness.tables.media[theirs].tag

    async def test_the_original_takes_the_place_of_the_reduced_copy(self, harness: Harness) -> None:
        original, reduced = picture("JPEG", 400, 300), picture("JPEG", 100, 75)
        media_id = (await harness.upload(announce_reduced(harness.now, original, reduced), reduced)).upload.media_id
        before = harness.tables.media[media_id] if media_id else None
        received = await harness.upload(announce(harness.now, original), original)
        assert received.media is not None
        assert (received.media.id, received.media.metadata.form) == (media_id, MediaForm.ORIGINAL)
        assert before is not None
        assert received.media.delete_time == before.delete_time
        assert await read(harness, media_id) == original
        await harness.sweep.clear_discards()
        assert len(harness.objects.objects) == 1
        assert len(harness.tables.events) == 2

    async def test_a_file_whose_media_is_dead_may_come_again_before_the_purge(self, harness: Harness) -> None:
        content = picture()
        first = await harness.keep(content)
        harness.keyring.destroy_media(ALICE, f"media/{first}")
        second = await harness.keep(content)
        assert first != second
        assert set(harness.tables.media) == {second}
        assert await read(harness, second) == content

    async def test_the_share_of_the_store_is_held(self) -> None:
        first, second = picture(seed=1), picture(seed=2)
        harness = Harness(policy=Policy(quota_bytes=len(first) + len(second) + 3 * ROW_BYTES - 1))
        harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
        await harness.keep(first)
        with pytest.raises(QuotaExceeded):
            await harness.keep(second)
        with pytest.raises(QuotaExceeded):
            await harness.start(announce(harness.now, second))

    async def test_what_is_known_is_no_way_around_the_share(self) -> None:
        content = picture(seed=1)
        harness = Harness(policy=Policy(quota_bytes=len(content) + 4 * ROW_BYTES))
        harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
        await harness.keep(content)
        for _ in range(2):
            await harness.start(announce(harness.now, content))
        with pytest.raises(QuotaExceeded):
            await harness.start(announce(harness.now, content))


class FailingObjects:
    """An object store that reads and does not write."""

    def __init__(self, harness: Harness) -> None:
        self._objects = harness.objects

    def stream(self, bucket: str, name: str, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        return self._objects.stream(bucket, name, offset, length)

    async def put(self, bucket: str, name: str, data: bytes) -> None:
        raise DependencyUnavailable("the object store does not answer")


async def breaking(content: bytes) -> AsyncIterator[bytes]:
    for piece in pieces(content):
        yield piece
    raise ConnectionResetError


async def stalling(content: bytes, waiting: asyncio.Event) -> AsyncIterator[bytes]:
    for piece in pieces(content):
        yield piece
    waiting.set()
    await asyncio.Event().wait()
