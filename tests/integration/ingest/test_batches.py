"""Many small files in one stream, many media deleted in one call, open uploads listed and cancelled."""

from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.chassis.seal import CHUNK_SIZE
from tests.integration.ingest.harness import CALL_SECONDS, Phone, refusal, start_request, summary
from tests.unit.ingest.harness import pieces
from tests.unit.ingest.pictures import motion_photo, picture

LARGE = motion_photo(64, 48) + bytes(3 * CHUNK_SIZE)


def reason_of(status: status_pb2.Status) -> str:
    """Return the reason that stands in the answer to one item."""
    info = error_details_pb2.ErrorInfo()
    [unpacked] = [detail for detail in status.details if detail.Unpack(info)]
    assert (unpacked.type_url, info.domain) == ("type.googleapis.com/google.rpc.ErrorInfo", "ingest.pellicule")
    return str(info.reason)


def file(content: bytes, **changes: object) -> list[media_service_pb2.BatchUploadMediaRequest]:
    start = start_request(content, **changes)  # type: ignore[arg-type]
    chunks = [media_service_pb2.BatchUploadMediaRequest(chunk=piece) for piece in pieces(content)]
    return [media_service_pb2.BatchUploadMediaRequest(start=start), *chunks]


class TestUploading:
    async def test_each_file_is_answered_and_a_refused_one_keeps_none_of_the_others(self, phone: Phone) -> None:
        first, last = picture(seed=1), LARGE
        text = b"Dear diary, it rained.\n" * 50
        answers = await phone.batch(
            *file(first, client_id="first"),
            *file(text, client_id="text"),
            *file(picture(seed=2)[:100], client_id="cut"),
            *file(bytes(9 * CHUNK_SIZE), client_id="large"),
            *file(last, client_id="last"),
        )
        assert [answer.client_id for answer in answers] == ["first", "text", "cut", "large", "last"]
        results = [answer.media.name if answer.HasField("media") else reason_of(answer.error) for answer in answers]
        assert results[1:4] == ["MEDIA_TYPE_UNSUPPORTED", "MEDIA_CORRUPT", "FIELD_INVALID"]
        assert [await phone.read(results[0]), await phone.read(results[4])] == [first, last]
        assert await phone.list() == [results[4], results[0]]
        assert list(await phone.uploads()) == []

    async def test_a_file_of_which_more_comes_than_was_announced_does_not_end_the_stream(self, phone: Phone) -> None:
        announced_too_small = file(LARGE, client_id="large")
        announced_too_small[0].start.size_bytes = announced_too_small[0].start.asset.size_bytes = 100
        nothing_announced = file(picture(seed=3), client_id="nothing")
        nothing_announced[0].start.Clear()
        answers = await phone.batch(*announced_too_small, *nothing_announced, *file(picture(seed=4)))
        results = ["media" if answer.HasField("media") else reason_of(answer.error) for answer in answers]
        assert results == ["SIZE_MISMATCH", "FIELD_INVALID", "media"]

    async def test_a_file_that_was_sent_before_is_answered_with_its_media(self, phone: Phone) -> None:
        content, asset, request_id = picture(), summary(picture()), str(uuid4())
        again = file(content, asset=asset, request_id=request_id)
        [first] = await phone.batch(*again)
        [second] = await phone.batch(*again)
        [other] = await phone.batch(*file(picture(seed=9), request_id=request_id))
        assert (second.media, reason_of(other.error)) == (first.media, "REQUEST_ID_REUSED")

    async def test_bytes_of_no_file_end_the_stream(self, phone: Phone) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.batch(media_service_pb2.BatchUploadMediaRequest(chunk=b"bytes"))
        assert refusal(refused.value)[1].reason == "FIELD_INVALID"

    async def test_without_a_grant_every_file_is_refused(self, stranger: Phone) -> None:
        [answer] = await stranger.batch(*file(picture()))
        assert reason_of(answer.error) == "PURPOSE_NOT_GRANTED"


class TestDeleting:
    async def test_each_media_is_answered(self, phone: Phone, other: Phone) -> None:
        mine = [(await phone.upload(picture(seed=seed))).name for seed in range(3)]
        theirs = (await other.upload(picture())).name
        request_id = str(uuid4())
        deletions = await phone.delete_batch(
            mine[0], theirs, f"media/{mine[1].removeprefix('media/').upper()}", request_id=request_id
        )
        assert [deletion.media for deletion in deletions] == [mine[0], theirs, mine[1]]
        assert reason_of(deletions[1].error) == "MEDIA_NOT_FOUND"
        assert [deletions[0].erasure.media, deletions[2].erasure.media] == mine[:2]
        assert (await phone.list(), await other.list()) == ([mine[2]], [theirs])
        again = await phone.delete_batch(mine[0], theirs, mine[1], request_id=request_id)
        assert again[0].erasure.name == deletions[0].erasure.name

    async def test_a_request_id_is_one_batchs_and_one_deletions(self, phone: Phone) -> None:
        mine = [(await phone.upload(picture(seed=seed))).name for seed in range(3)]
        request_id = str(uuid4())
        await phone.delete_batch(mine[0], request_id=request_id)
        with pytest.raises(grpc.aio.AioRpcError) as reused:
            await phone.delete_batch(mine[1], request_id=request_id)
        assert refusal(reused.value)[1].reason == "REQUEST_ID_REUSED"
        with pytest.raises(grpc.aio.AioRpcError) as reused:
            await phone.delete(mine[1], request_id)
        assert refusal(reused.value)[1].reason == "REQUEST_ID_REUSED"
        request_id = str(uuid4())
        await phone.delete(mine[1], request_id)
        with pytest.raises(grpc.aio.AioRpcError) as reused:
            await phone.delete(mine[2], request_id)
        code, said = refusal(reused.value)
        assert (code, said.reason, said.metadata) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED", {"request_id": request_id})

    async def test_an_empty_batch_is_refused(self, phone: Phone) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.delete_batch(request_id="42")
        said = refusal(refused.value)[1]
        assert [violation.field for violation in said.violations] == ["names", "request_id"]


class TestOpenUploads:
    async def test_they_are_listed_newest_first_and_one_is_cancelled(self, phone: Phone, other: Phone) -> None:
        names = [(await phone.start(start_request(picture(seed=s), client_id=f"asset-{s}"))).name for s in range(3)]
        await other.start(start_request(picture()))
        assert [(upload.name, upload.client_id) for upload in await phone.uploads()] == [
            (names[seed], f"asset-{seed}") for seed in (2, 1, 0)
        ]
        assert [upload.name for upload in await phone.uploads(size=2)] == [names[2], names[1]]
        await phone.cancel(names[1])
        assert [upload.name for upload in await phone.uploads()] == [names[2], names[0]]
        with pytest.raises(grpc.aio.AioRpcError) as gone:
            await phone.cancel(names[1])
        assert refusal(gone.value)[1].reason == "UPLOAD_NOT_FOUND"

    async def test_a_complete_one_is_not_cancelled(self, phone: Phone) -> None:
        content = picture()
        upload = await phone.start(start_request(content))
        media = (await phone.send(upload.name, content)).media.name
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.cancel(upload.name)
        code, said = refusal(refused.value)
        assert (code, said.reason) == ("FAILED_PRECONDITION", "UPLOAD_COMPLETE")
        assert said.metadata == {"upload": upload.name, "media": media}


class TestReading:
    async def test_a_reading_that_broke_goes_on(self, phone: Phone) -> None:
        media = (await phone.upload(LARGE)).name
        for offset in (1, CHUNK_SIZE, 2 * CHUNK_SIZE + 7, len(LARGE)):
            assert await phone.read(media, offset) == LARGE[offset:]
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.read(media, len(LARGE) + 1)
        assert [violation.field for violation in refusal(refused.value)[1].violations] == ["offset"]


class TestPlanning:
    async def test_an_asset_that_cannot_be_used_does_not_spoil_the_plan(self, phone: Phone) -> None:
        good, bad = summary(picture(), client_id="good"), summary(picture(seed=2), client_id="bad", sha256=b"short")
        request = media_service_pb2.PlanUploadsRequest(assets=[bad, good])
        reply = await phone.stub.PlanUploads(request, metadata=phone.headers, timeout=CALL_SECONDS)
        assert [(item.client_id, item.reason) for item in reply.items] == [
            ("good", media_pb2.PLAN_REASON_IN_WINDOW),
            ("bad", media_pb2.PLAN_REASON_INVALID),
        ]
        assert [violation.field for violation in reply.items[1].violations] == ["sha256"]
