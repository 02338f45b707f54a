"""Whatever comes in: a clear error with its reason, nothing lost, nothing crashed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.chassis.seal import CHUNK_SIZE
from tests.integration.ingest.harness import CALL_SECONDS, Harness, Phone, messages, refusal, start_request, summary
from tests.integration.ingest.test_media_service import LARGE, broken_stream
from tests.unit.ingest.harness import pieces
from tests.unit.ingest.pictures import picture, png_bomb, taken_at


@dataclass(frozen=True)
class Bad:
    content: bytes
    code: str
    reason: str
    says: str


def _overwritten() -> bytes:
    data = bytearray(picture("JPEG", 640, 480))
    data[len(data) // 2 : len(data) // 2 + 500] = b"\xff\x42" * 250
    return bytes(data)


def _flipped_png() -> bytes:
    data = bytearray(picture("PNG", 320, 240))
    data[len(data) // 2] ^= 1
    return bytes(data)


FILES = {
    "cut-jpeg": Bad(picture("JPEG", 640, 480)[:300], "INVALID_ARGUMENT", "MEDIA_CORRUPT", "cut short"),
    "cut-png": Bad(picture("PNG", 320, 240)[:36], "INVALID_ARGUMENT", "MEDIA_CORRUPT", "cut short"),
    "cut-webp": Bad(picture("WEBP", 320, 240)[:-9], "INVALID_ARGUMENT", "MEDIA_CORRUPT", "of the"),
    "cut-heic": Bad(picture("HEIF", 320, 240)[:-9], "INVALID_ARGUMENT", "MEDIA_CORRUPT", "ends at byte"),
    "cut-avif": Bad(picture("AVIF", 320, 240)[:-9], "INVALID_ARGUMENT", "MEDIA_CORRUPT", "ends at byte"),
    "corrupt-jpeg": Bad(_overwritten(), "INVALID_ARGUMENT", "MEDIA_CORRUPT", "altered"),
    "corrupt-png": Bad(_flipped_png(), "INVALID_ARGUMENT", "MEDIA_CORRUPT", "checksum"),
    "text.jpg": Bad(b"Dear diary, it rained.\n" * 99, "INVALID_ARGUMENT", "MEDIA_TYPE_UNSUPPORTED", "content is text"),
    "bomb.png": Bad(png_bomb(), "INVALID_ARGUMENT", "MEDIA_TOO_MANY_PIXELS", "30000 x 30000"),
}


def two_calls(phone: Phone) -> Callable[..., Awaitable[object]]:
    async def send(content: bytes, **changes: object) -> None:
        upload = await phone.start(start_request(content, **changes))  # type: ignore[arg-type]
        await phone.send(upload.name, *pieces(content))

    return send


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("in_one_go", [True, False], ids=["one-go", "two-calls"])
async def test_a_bad_file_is_refused_by_name_with_its_reason(phone: Phone, name: str, in_one_go: bool) -> None:
    bad, good = FILES[name], picture(seed=5)
    kept = await phone.upload(good)
    send = phone.upload if in_one_go else two_calls(phone)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(bad.content, file_name=f"beach/{name}")
    code, said = refusal(refused.value)
    assert (code, said.reason, said.domain) == (bad.code, bad.reason, "ingest.pellicule")
    assert said.metadata["file_name"] == f"beach/{name}"
    assert f"beach/{name}: " in said.message
    assert bad.says in said.message
    assert await phone.list() == [kept.name]
    assert await phone.read(kept.name) == good


class TestAnnouncements:
    async def test_a_file_without_bytes(self, phone: Phone) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.start(start_request(b"", file_name="empty.jpg"))
        code, said = refusal(refused.value)
        assert (code, said.reason, said.metadata["file_name"]) == ("INVALID_ARGUMENT", "MEDIA_EMPTY", "empty.jpg")

    async def test_a_file_that_is_too_large(self, phone: Phone) -> None:
        content = picture()
        asset = summary(content, size_bytes=20_000_001)
        request = start_request(content, asset=asset)
        request.size_bytes = 20_000_001
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.start(request)
        said = refusal(refused.value)[1]
        assert (said.reason, said.metadata["limit_bytes"]) == ("MEDIA_TOO_LARGE", "20000000")

    async def test_a_picture_of_too_many_pixels_by_its_description(self, phone: Phone) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.start(start_request(picture(), width=30_000, height=30_000))
        assert refusal(refused.value)[1].reason == "MEDIA_TOO_MANY_PIXELS"

    async def test_a_wrong_checksum(self, phone: Phone) -> None:
        announced, sent = picture(seed=1), picture(seed=2)
        request = start_request(announced)
        request.size_bytes = request.asset.size_bytes = len(sent)
        header = media_service_pb2.UploadHeader(start=request)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.stub.UploadMedia(messages(header, [sent]), metadata=phone.headers, timeout=CALL_SECONDS)
        code, said = refusal(refused.value)
        assert (code, said.reason) == ("DATA_LOSS", "CHECKSUM_MISMATCH")
        assert await phone.list() == []

    async def test_more_bytes_than_announced(self, phone: Phone) -> None:
        content = picture()
        upload = await phone.start(start_request(content))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.send(upload.name, content, b"more")
        assert refusal(refused.value)[1].reason == "SIZE_MISMATCH"

    async def test_a_picture_older_than_announced(self, phone: Phone) -> None:
        content = picture(exif=taken_at(datetime.now(UTC) - timedelta(days=90)))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.upload(content)
        code, said = refusal(refused.value)
        assert (code, said.reason) == ("FAILED_PRECONDITION", "OUTSIDE_WINDOW")
        assert "window_start_time" in said.metadata

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("request_id", "not-a-uuid"),
            ("form", media_pb2.MEDIA_FORM_UNSPECIFIED),
            ("sha256", b"short"),
            ("size_bytes", -1),
        ],
    )
    async def test_a_field_that_cannot_be_is_named(self, phone: Phone, field: str, value: object) -> None:
        request = start_request(picture())
        setattr(request, field, value)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.start(request)
        code, said = refusal(refused.value)
        assert (code, said.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
        assert field in said.message


class TestStreams:
    async def test_an_upload_that_is_interrupted_loses_nothing_that_was_committed(self, phone: Phone) -> None:
        upload = await phone.start(start_request(LARGE))
        assert await broken_stream(phone, upload.name, LARGE[: 3 * CHUNK_SIZE]) == 3 * CHUNK_SIZE
        again = await phone.start(start_request(LARGE))
        assert (again.name, again.committed_size_bytes) == (upload.name, 3 * CHUNK_SIZE)
        reply = await phone.send(again.name, *pieces(LARGE[3 * CHUNK_SIZE :]), offset=3 * CHUNK_SIZE)
        assert await phone.read(reply.media.name) == LARGE

    async def test_a_stream_without_a_header(self, phone: Phone) -> None:
        async def headless() -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
            yield media_service_pb2.UploadMediaRequest(chunk=b"bytes")

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.stub.UploadMedia(headless(), metadata=phone.headers, timeout=CALL_SECONDS)
        assert refusal(refused.value)[1].reason == "FIELD_INVALID"

    async def test_an_upload_that_never_was(self, phone: Phone) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.send("uploads/00000000-0000-4000-8000-000000000000", b"bytes")
        assert refusal(refused.value)[1].reason == "UPLOAD_NOT_FOUND"

    async def test_a_name_that_is_none(self, phone: Phone) -> None:
        for call in (phone.get("media/42"), phone.read("42"), phone.delete("media/../x"), phone.send("upload")):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refusal(refused.value)[1].reason == "FIELD_INVALID"


class TestTokens:
    async def test_an_expired_token(self, harness: Harness, phone: Phone) -> None:
        phone.headers = (("authorization", f"Bearer {harness.token(phone.person, timedelta(hours=-1))}"),)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await phone.upload(picture())
        code, said = refusal(refused.value)
        assert (code, said.reason) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")

    async def test_no_token_and_a_wrong_one(self, phone: Phone) -> None:
        for headers, reason in (((), "TOKEN_MISSING"), ((("authorization", "Bearer x.y.z"),), "TOKEN_INVALID")):
            phone.headers = headers  # type: ignore[assignment]
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await phone.list()
            assert refusal(refused.value)[1].reason == reason
