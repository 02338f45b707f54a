from collections.abc import AsyncIterator

import pytest

from pellicule.ingest.v1 import media_service_pb2
from services.chassis.errors import FieldInvalid
from services.ingest.translation.streams import BatchFiles, upload_chunks, upload_header

Message = media_service_pb2.BatchUploadMediaRequest


def start(name: str, size: int) -> Message:
    return Message(start=media_service_pb2.StartUploadRequest(request_id=name, size_bytes=size))


def chunk(data: bytes) -> Message:
    return Message(chunk=data)


async def messages(*items: Message) -> AsyncIterator[Message]:
    for item in items:
        yield item


async def files(*items: Message, refused: frozenset[str] = frozenset()) -> list[tuple[str, bytes]]:
    stream, found = BatchFiles(messages(*items), idle_seconds=1.0), []
    while (begun := await stream.next_start()) is not None:
        if begun.request_id in refused:
            stream.pass_over()
        taken = [] if begun.request_id in refused else [piece async for piece in stream.chunks()]
        found.append((begun.request_id, b"".join(taken)))
    return found


class TestBatch:
    async def test_each_file_has_its_own_chunks(self) -> None:
        stream = (start("a", 4), chunk(b"ab"), chunk(b"cd"), start("b", 1), chunk(b"e"))
        assert await files(*stream) == [("a", b"abcd"), ("b", b"e")]

    async def test_the_chunks_of_a_refused_file_are_passed_over(self) -> None:
        stream = (start("a", 4), chunk(b"ab"), chunk(b"cd"), start("b", 1), chunk(b"e"))
        assert await files(*stream, refused=frozenset({"a"})) == [("a", b""), ("b", b"e")]

    @pytest.mark.parametrize("announced", [-1, 0, 1])
    async def test_a_refused_file_that_announced_too_little_ends_no_stream(self, announced: int) -> None:
        stream = (start("a", announced), chunk(b"ab"), chunk(b"cd"), start("b", 1), chunk(b"e"))
        assert await files(*stream, refused=frozenset({"a"})) == [("a", b""), ("b", b"e")]

    async def test_an_empty_chunk_is_of_any_file(self) -> None:
        assert await files(start("a", 1), chunk(b"a"), chunk(b""), start("b", 0), chunk(b"")) == [
            ("a", b"a"),
            ("b", b""),
        ]

    async def test_a_file_that_is_not_sent_whole_does_not_keep_the_next(self) -> None:
        assert await files(start("a", 4), chunk(b"ab"), start("b", 1), chunk(b"e")) == [("a", b"ab"), ("b", b"e")]

    async def test_a_file_that_is_cut_ends_the_stream(self) -> None:
        assert await files(start("a", 4), chunk(b"ab")) == [("a", b"ab")]

    @pytest.mark.parametrize("stream", [(chunk(b"a"),), (start("a", 1), chunk(b"a"), chunk(b"b")), (Message(),)])
    async def test_bytes_of_no_file_are_refused(self, stream: tuple[Message, ...]) -> None:
        with pytest.raises(FieldInvalid, match="start"):
            await files(*stream)


async def sent(*items: media_service_pb2.UploadMediaRequest) -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
    for item in items:
        yield item


class TestOneFile:
    async def test_a_header_without_a_target_is_refused(self) -> None:
        header = media_service_pb2.UploadMediaRequest(header=media_service_pb2.UploadHeader(offset=3))
        with pytest.raises(FieldInvalid, match="name an upload"):
            await upload_header(sent(header))

    async def test_a_second_header_is_refused(self) -> None:
        with pytest.raises(FieldInvalid, match="content"):
            assert [_ async for _ in upload_chunks(sent(media_service_pb2.UploadMediaRequest()))]
