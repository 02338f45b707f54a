import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
import pytest

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from pellicule.internal.ingest.v1 import media_stored_pb2
from pellicule.internal.suggestion.v1 import suggestion_saved_pb2
from pellicule.retention.v1 import retention_service_pb2, retention_service_pb2_grpc
from services.chassis.clock import SystemClock
from services.chassis.messaging.bus import connect_bus
from services.chassis.messaging.events import OutgoingEvent
from services.chassis.object_store import S3ObjectStore
from services.chassis.seal import CHUNK_SIZE, open_bytes, open_object
from services.chassis.settings import BusSettings
from services.keyring.client import RetentionKeyring
from tests.integration.eventually import eventually
from tests.integration.ingest.harness import CALL_SECONDS, Harness, Phone, messages, refusal, start_request, summary
from tests.unit.ingest.harness import pieces
from tests.unit.ingest.pictures import motion_photo, picture, taken_at

LARGE = motion_photo(64, 48) + bytes(3 * CHUNK_SIZE)


async def objects_in(harness: Harness) -> set[str]:
    async with S3ObjectStore(harness.object_settings()) as store:
        return {name async for name in store.list("media")}


async def eventually_gone(harness: Harness, names: set[str]) -> None:
    async def gone() -> bool:
        return not names & await objects_in(harness)

    await eventually(gone)


async def unreadable(phone: Phone, media: str) -> bool:
    try:
        await phone.read(media)
    except grpc.aio.AioRpcError as refused:
        return refusal(refused)[1].reason == "MEDIA_NOT_FOUND"
    return False


async def eventually_planned(phone: Phone, asset: media_pb2.AssetSummary, action: str, reason: str) -> None:
    async def planned() -> bool:
        return await phone.plan(asset) == {asset.client_id: (action, reason)}

    await eventually(planned)


class TestOneWay:
    async def test_a_picture_goes_in_and_comes_out_byte_for_byte(self, phone: Phone) -> None:
        taken = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
        content = picture("JPEG", 640, 480, exif=taken_at(taken))
        media = await phone.upload(content, taken=taken, favorite=True)
        assert (media.sha256, media.width, media.height) == (hashlib.sha256(content).digest(), 640, 480)
        assert (media.content_type, media.favorite, media.purpose) == ("image/jpeg", True, 1)
        assert media.capture_time.ToDatetime(UTC) == taken
        assert media.delete_time.ToDatetime(UTC) - media.upload_time.ToDatetime(UTC) <= timedelta(days=30)
        assert await phone.read(media.name) == content
        assert await phone.get(media.name) == media
        assert await phone.list() == [media.name]

    @pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIF", "AVIF"])
    async def test_every_type_is_taken(self, phone: Phone, kind: str) -> None:
        content = picture(kind, 320, 240)
        media = await phone.upload(content)
        assert (media.width, media.height) == (320, 240)
        assert await phone.read(media.name) == content

    async def test_starting_and_sending_are_two_calls_if_one_likes(self, phone: Phone) -> None:
        content = picture()
        upload = await phone.start(start_request(content))
        reply = await phone.send(upload.name, content)
        assert reply.upload.committed_size_bytes == len(content)
        assert await phone.list() == [reply.media.name]

    async def test_a_list_goes_page_by_page(self, phone: Phone) -> None:
        names = [(await phone.upload(picture(seed=seed))).name for seed in range(5)]
        assert await phone.list(2) == names[::-1]

    async def test_the_event_opens_for_whoever_may_and_the_store_holds_no_picture(
        self, harness: Harness, phone: Phone
    ) -> None:
        content = picture("JPEG", 640, 480)
        before = await objects_in(harness)
        media = await phone.upload(content)
        message = await event_of(harness, media.name)
        assert (message.subject, message.purpose) == (phone.subject, 1)
        assert await objects_in(harness) - before == {piece.object for piece in message.segments}
        async with (
            harness.internal("analysis", "retention") as channel,
            S3ObjectStore(harness.object_settings()) as store,
        ):
            keyring = RetentionKeyring(channel, SystemClock())
            keys = await keyring.open(subject=phone.subject, purpose="CLOUD_PROCESSING", ids=[message.data_key_id])
            sealed = b"".join([await store.get("media", piece.object) for piece in message.segments])
        key, id_ = keys[message.data_key_id], message.data_key_id
        assert content[1000:1064] not in sealed
        assert open_object(key, sealed, f"{id_}|CLOUD_PROCESSING".encode()) == content
        metadata = media_stored_pb2.MediaMetadata.FromString(
            open_bytes(key, message.sealed_metadata, f"{id_}|metadata".encode())
        )
        assert metadata.file_name == "IMG_0001.jpg"

    async def test_many_at_once_are_all_kept(self, phone: Phone) -> None:
        contents = [picture(seed=seed) for seed in range(16)]
        media = await asyncio.gather(*(phone.upload(content) for content in contents))
        assert sorted(await phone.list()) == sorted(each.name for each in media)
        assert {each.sha256 for each in media} == {hashlib.sha256(content).digest() for content in contents}


class TestPlan:
    async def test_the_plan_knows_what_is_kept_and_what_is_wanted(self, harness: Harness, phone: Phone) -> None:
        original, reduced = picture("JPEG", 400, 300), picture("JPEG", 100, 75)
        asset = summary(original, width=4000, height=3000)
        assert await phone.plan(asset) == {asset.client_id: ("UPLOAD_REDUCED", "IN_WINDOW")}
        header = media_service_pb2.UploadHeader(
            start=start_request(reduced, asset=asset, form=media_pb2.MEDIA_FORM_REDUCED)
        )
        reply = await phone.stub.UploadMedia(messages(header, [reduced]), metadata=phone.headers, timeout=CALL_SECONDS)
        assert (reply.media.width, reply.media.form) == (4000, media_pb2.MEDIA_FORM_REDUCED)
        assert await phone.plan(asset) == {asset.client_id: ("SKIP", "KNOWN")}
        await save_suggestion_of(harness, phone.subject, reply.media.name)
        await eventually_planned(phone, asset, "UPLOAD_ORIGINAL", "ORIGINAL_WANTED")
        replaced = await phone.upload(original, asset=asset)
        assert (replaced.name, replaced.form) == (reply.media.name, media_pb2.MEDIA_FORM_ORIGINAL)
        assert await phone.read(replaced.name) == original
        assert await phone.plan(asset) == {asset.client_id: ("SKIP", "KNOWN")}

    async def test_older_media_come_in_as_far_as_consent_reaches(self, phone: Phone) -> None:
        taken = datetime.now(UTC) - timedelta(days=200)
        content = picture()
        asset = summary(content, taken=taken)
        assert await phone.plan(asset) == {asset.client_id: ("SKIP", "OUTSIDE_WINDOW")}
        with pytest.raises(grpc.aio.AioRpcError) as missing:
            await phone.upload(content, taken=taken)
        assert refusal(missing.value)[1].metadata == {"purpose": "OLDER_MEDIA"}
        await phone.grant("OLDER_MEDIA", reach_back=taken + timedelta(days=1))
        assert await phone.plan(asset) == {asset.client_id: ("SKIP", "OUTSIDE_WINDOW")}
        await phone.grant("OLDER_MEDIA", reach_back=taken - timedelta(days=1))
        assert await phone.plan(asset) == {asset.client_id: ("UPLOAD_ORIGINAL", "OLDER_MEDIA_GRANTED")}
        media = await phone.upload(content, taken=taken)
        assert media.purpose == 2
        await phone.withdraw("OLDER_MEDIA")
        assert await phone.list() == []

    async def test_the_window_is_checked_on_the_servers_clock(self, phone: Phone) -> None:
        now = datetime.now(UTC)
        inside, outside = (summary(picture(), taken=now - timedelta(days=days)) for days in (29, 31))
        assert await phone.plan(inside) == {inside.client_id: ("UPLOAD_ORIGINAL", "IN_WINDOW")}
        assert await phone.plan(outside) == {outside.client_id: ("SKIP", "OUTSIDE_WINDOW")}


class TestInterruptions:
    async def test_a_stream_that_breaks_is_resumed_where_it_was_committed(self, phone: Phone) -> None:
        upload = await phone.start(start_request(LARGE))
        committed = await broken_stream(phone, upload.name, LARGE[: 2 * CHUNK_SIZE + 5])
        assert committed == 2 * CHUNK_SIZE + 5
        reply = await phone.send(upload.name, *pieces(LARGE[committed:]), offset=committed)
        assert await phone.read(reply.media.name) == LARGE

    async def test_a_wrong_offset_is_told_the_right_one(self, phone: Phone) -> None:
        upload = await phone.start(start_request(LARGE))
        await phone.send(upload.name, *pieces(LARGE[: 2 * CHUNK_SIZE]))
        with pytest.raises(grpc.aio.AioRpcError) as wrong:
            await phone.send(upload.name, LARGE[:10], offset=5)
        code, said = refusal(wrong.value)
        assert (code, said.reason) == ("OUT_OF_RANGE", "UPLOAD_OFFSET_WRONG")
        assert said.metadata == {"upload": upload.name, "committed_size_bytes": str(2 * CHUNK_SIZE)}

    async def test_the_newest_stream_takes_over_at_once_whatever_the_older_one_does(self, phone: Phone) -> None:
        content = LARGE[:CHUNK_SIZE]
        upload = await phone.start(start_request(LARGE))
        silent = phone.stub.UploadMedia(
            waiting_messages(upload.name, content, asyncio.Event()), metadata=phone.headers, timeout=CALL_SECONDS
        )
        committed = await eventually_committed(phone, upload.name, len(content))
        reply = await phone.send(upload.name, *pieces(LARGE[committed:]), offset=committed)
        assert await phone.read(reply.media.name) == LARGE
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await silent
        assert (ended.value.code().name, read_reason(ended.value)) == ("ABORTED", "UPLOAD_TAKEN_OVER")

    async def test_what_came_before_a_cut_is_committed_however_little_it_is(self, phone: Phone) -> None:
        content = picture("JPEG", 640, 480)
        request = start_request(content)
        header = media_service_pb2.UploadHeader(start=request)
        call = phone.stub.UploadMedia(
            waiting(messages(header, [content[:1000]])), metadata=phone.headers, timeout=CALL_SECONDS
        )
        names: list[str] = []

        async def one_is_open() -> bool:
            names[:] = [upload.name for upload in await phone.uploads() if upload.committed_size_bytes == 1000]
            return bool(names)

        await eventually(one_is_open)
        call.cancel()
        again = media_service_pb2.UploadHeader(start=request, offset=1000)
        reply = await phone.stub.UploadMedia(
            messages(again, [content[1000:]]), metadata=phone.headers, timeout=CALL_SECONDS
        )
        assert ([reply.upload.name], await phone.read(reply.media.name)) == (names, content)

    async def test_a_repeated_request_returns_what_it_made(self, phone: Phone) -> None:
        content, request_id = picture(), str(uuid4())
        media = await phone.upload(content, request_id=request_id)
        again = await phone.start(start_request(content))
        assert again.media == media.name
        with pytest.raises(grpc.aio.AioRpcError) as reused:
            await phone.start(start_request(picture(seed=9), request_id=request_id))
        assert refusal(reused.value)[1].reason == "REQUEST_ID_REUSED"


class TestConsent:
    async def test_without_a_grant_nothing_is_planned_taken_or_listed(self, harness: Harness, stranger: Phone) -> None:
        before = await objects_in(harness)
        content = picture()
        for call in (stranger.plan(summary(content)), stranger.upload(content), stranger.list()):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            code, said = refusal(refused.value)
            assert (code, said.reason) == ("FAILED_PRECONDITION", "PURPOSE_NOT_GRANTED")
        assert await objects_in(harness) <= before

    async def test_a_withdrawal_stops_a_running_stream(self, harness: Harness, phone: Phone) -> None:
        media = await phone.upload(picture())
        upload = await phone.start(start_request(LARGE))
        go_on = asyncio.Event()
        call = phone.stub.UploadMedia(
            waiting_messages(upload.name, LARGE[: 2 * CHUNK_SIZE], go_on, LARGE[2 * CHUNK_SIZE : 3 * CHUNK_SIZE]),
            metadata=phone.headers,
            timeout=CALL_SECONDS,
        )
        await call.wait_for_connection()
        await phone.withdraw("CLOUD_PROCESSING")
        assert await unreadable(phone, media.name)
        go_on.set()
        with pytest.raises(grpc.aio.AioRpcError) as stopped:
            await call
        assert refusal(stopped.value)[1].reason == "PURPOSE_NOT_GRANTED"

    async def test_after_a_withdrawal_rows_and_objects_go(self, harness: Harness, phone: Phone) -> None:
        before = await objects_in(harness)
        media = await phone.upload(picture())
        mine = await objects_in(harness) - before
        await phone.withdraw("CLOUD_PROCESSING")
        assert await unreadable(phone, media.name)
        await eventually_gone(harness, mine)

    async def test_after_a_new_grant_the_same_photo_comes_in_afresh(self, phone: Phone) -> None:
        content = picture()
        first = await phone.upload(content)
        await phone.withdraw("CLOUD_PROCESSING")
        await phone.grant("CLOUD_PROCESSING")
        second = await phone.upload(content)
        assert second.name != first.name
        assert await phone.list() == [second.name]


class TestErasure:
    async def test_a_deleted_media_is_gone_and_not_asked_for_again(self, harness: Harness, phone: Phone) -> None:
        content, kept = picture(seed=1), picture(seed=2)
        before = await objects_in(harness)
        media = await phone.upload(content)
        mine = await objects_in(harness) - before
        other = await phone.upload(kept)
        request_id = str(uuid4())
        erasure = await phone.delete(media.name, request_id)
        assert await phone.list() == [other.name]
        asset = summary(content)
        assert await phone.plan(asset) == {asset.client_id: ("SKIP", "DELETED")}
        with pytest.raises(grpc.aio.AioRpcError) as gone:
            await phone.get(media.name)
        assert refusal(gone.value)[1].reason == "MEDIA_NOT_FOUND"
        assert await phone.delete(media.name, request_id) == erasure
        await eventually_gone(harness, mine)
        assert await phone.plan(asset) == {asset.client_id: ("SKIP", "DELETED")}
        assert await phone.delete(media.name, request_id) == erasure
        assert await phone.read(other.name) == kept

    async def test_the_erasure_of_everything_is_counted_store_by_store(self, harness: Harness, phone: Phone) -> None:
        before = await objects_in(harness)
        await phone.upload(picture(seed=1))
        await phone.upload(picture(seed=2))
        upload = await phone.start(start_request(LARGE))
        await phone.send(upload.name, *pieces(LARGE[: 2 * CHUNK_SIZE]))
        mine = await objects_in(harness) - before
        async with harness.public("retention") as channel:
            stub = retention_service_pb2_grpc.RetentionServiceStub(channel)
            request = retention_service_pb2.RequestErasureRequest(request_id=str(uuid4()), everything=True)
            erasure = (await stub.RequestErasure(request, metadata=phone.headers, timeout=CALL_SECONDS)).erasure
            await eventually_gone(harness, mine)
            counts = await purged_counts(stub, erasure.name, phone)
        assert counts["ingest.table.media"] == 2
        assert counts["ingest.table.upload"] == 3
        assert (counts["ingest.bucket.media"], counts["ingest.table.segment"]) == (3, 3)
        assert (counts["ingest.table.lookup_key"], counts["ingest.table.usage"]) == (1, 1)


class TestOthers:
    async def test_another_persons_media_and_uploads_do_not_exist(self, phone: Phone, other: Phone) -> None:
        content = picture()
        media = await phone.upload(content)
        upload = await phone.start(start_request(LARGE))
        for call, reason in (
            (other.get(media.name), "MEDIA_NOT_FOUND"),
            (other.read(media.name), "MEDIA_NOT_FOUND"),
            (other.delete(media.name), "MEDIA_NOT_FOUND"),
            (other.send(upload.name, LARGE[:10]), "UPLOAD_NOT_FOUND"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert (refused.value.code(), read_reason(refused.value)) == (grpc.StatusCode.NOT_FOUND, reason)
        assert await other.list() == []
        assert await phone.read(media.name) == content

    async def test_no_service_may_call_in_a_persons_place(self, harness: Harness, phone: Phone) -> None:
        async with harness.internal("analysis", "ingest") as channel:
            call = channel.unary_unary(
                "/pellicule.ingest.v1.MediaService/ListMedia",
                request_serializer=media_service_pb2.ListMediaRequest.SerializeToString,
                response_deserializer=media_service_pb2.ListMediaResponse.FromString,
            )
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(
                    media_service_pb2.ListMediaRequest(),
                    metadata=(("pellicule-subject", phone.subject),),
                    timeout=CALL_SECONDS,
                )
        assert refusal(refused.value)[1].reason == "CALLER_NOT_ALLOWED"


def read_reason(error: grpc.aio.AioRpcError) -> str:
    return refusal(error)[1].reason


async def broken_stream(phone: Phone, upload: str, content: bytes) -> int:
    """Break a stream off once the service has committed all that it brought; return how much that is."""
    call = phone.stub.UploadMedia(
        waiting_messages(upload, content, asyncio.Event()), metadata=phone.headers, timeout=CALL_SECONDS
    )
    committed = await eventually_committed(phone, upload, len(content))
    call.cancel()
    return committed


async def eventually_committed(phone: Phone, upload: str, size: int) -> int:
    """Wait until that much of an upload is committed, and return how much is."""
    request = media_service_pb2.GetUploadRequest(name=upload)
    committed = 0

    async def saved() -> bool:
        nonlocal committed
        reply = await phone.stub.GetUpload(request, metadata=phone.headers, timeout=CALL_SECONDS)
        committed = reply.upload.committed_size_bytes
        return committed >= size

    await eventually(saved)
    return committed


async def waiting(
    sent: AsyncIterator[media_service_pb2.UploadMediaRequest],
) -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
    """Send, and then nothing more."""
    async for message in sent:
        yield message
    await asyncio.Event().wait()


async def waiting_messages(
    upload: str, content: bytes, go_on: asyncio.Event, *more: bytes
) -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
    header = media_service_pb2.UploadHeader(upload=upload, offset=0)
    async for message in messages(header, pieces(content)):
        yield message
    await go_on.wait()
    for chunk in more:
        yield media_service_pb2.UploadMediaRequest(chunk=chunk)


async def event_of(harness: Harness, media: str) -> media_stored_pb2.MediaStored:
    """Wait for the event that tells of a media."""
    async with connect_bus(BusSettings(nats_url=harness.servers.nats.url("ingest"))) as bus:
        subscription = await bus.jetstream.pull_subscribe(
            media_stored_pb2.MediaStored.DESCRIPTOR.full_name, durable=f"test-{uuid4().hex}", stream="INGEST"
        )
        async with asyncio.timeout(30):
            while True:
                for message in await subscription.fetch(10, timeout=10):
                    found = media_stored_pb2.MediaStored.FromString(message.data)
                    if found.media == media:
                        return found


async def save_suggestion_of(harness: Harness, subject: str, media: str) -> None:
    """Says what the suggestion service says when one is saved."""
    async with connect_bus(BusSettings(nats_url=harness.servers.nats.url("suggestion"))) as bus:
        await bus.ensure_stream("SUGGESTION", ["pellicule.internal.suggestion.v1.>"])
        saved = suggestion_saved_pb2.SuggestionSaved(
            subject=subject, suggestion=f"suggestions/{uuid4()}", media=[media]
        )
        await bus.publish(
            OutgoingEvent(
                type=suggestion_saved_pb2.SuggestionSaved.DESCRIPTOR.full_name,
                subject=saved.suggestion,
                body=saved.SerializeToString(),
            )
        )


async def purged_counts(
    stub: retention_service_pb2_grpc.RetentionServiceStub, erasure: str, phone: Phone
) -> dict[str, int]:
    """Wait until ingest has reported, and return its counts by store."""
    request = retention_service_pb2.GetErasureRequest(name=erasure)
    counts: dict[str, int] = {}

    async def reported() -> bool:
        reply = await stub.GetErasure(request, metadata=phone.headers, timeout=CALL_SECONDS)
        stores = [store for store in reply.erasure.stores if store.service == "ingest"]
        counts.update({store.store: store.purged_count for store in stores})
        return bool(stores) and all(store.HasField("purge_time") for store in stores)

    await eventually(reported)
    return counts
