import asyncio

import pytest

from services.chassis.errors import LimitReached
from services.ingest.operations import upload_memory
from services.ingest.operations.upload_memory import FEW_STREAMS, UploadMemory
from services.ingest.operations.upload_transfer import Progress

ADA, BOB = "a" * 32, "b" * 32


@pytest.fixture
def memory() -> UploadMemory:
    return UploadMemory(process_bytes=100, person_bytes=60)


def test_a_person_finds_room_up_to_their_share(memory: UploadMemory) -> None:
    first, second = memory.of(ADA), memory.of(ADA)
    first.set(40)
    assert second.has_room(20)
    assert not second.has_room(21)


def test_a_person_who_holds_less_than_an_equal_part_finds_room_in_a_full_process(memory: UploadMemory) -> None:
    memory.of(ADA).set(60)
    memory.of("c" * 32).set(40)
    bob = memory.of(BOB)
    assert bob.has_room(33)
    assert not bob.has_room(34)


def test_what_has_ended_holds_nothing(memory: UploadMemory) -> None:
    held = memory.of(ADA)
    held.set(60)
    held.release()
    assert memory.held_bytes == 0


async def test_who_waits_for_room_gets_it_when_it_comes_free(memory: UploadMemory) -> None:
    first, second = memory.of(ADA), memory.of(ADA)
    first.set(60)
    waiting = asyncio.create_task(second.wait_for_room(10))
    await asyncio.sleep(0)
    assert not waiting.done()
    first.set(50)
    await waiting


async def test_who_waits_too_long_is_told_when_to_come_back(
    memory: UploadMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_memory, "ROOM_SECONDS", 0.0)
    memory.of(ADA).set(60)
    with pytest.raises(LimitReached) as caught:
        await memory.of(ADA).wait_for_room(10)
    assert caught.value.retry_after is not None


def test_more_streams_than_a_phone_needs_are_committed_less_often(memory: UploadMemory) -> None:
    streams = [memory.of(ADA) for _ in range(4 * FEW_STREAMS)]
    assert (streams[0].crowd, memory.of(BOB).crowd) == (4, 1)
    for stream in streams:
        stream.release()
    assert memory.of(ADA).crowd == 1


def test_a_stream_is_too_slow_a_minute_after_it_last_brought_enough() -> None:
    now = 0.0
    progress = Progress(100, lambda: now)
    assert progress.due == 60
    now = 30.0
    with progress.of(99):
        pass
    assert progress.due == 60
    with progress.of(1):
        pass
    assert progress.due == 90


def test_what_the_service_takes_itself_does_not_make_a_stream_slow() -> None:
    now = 0.0
    progress = Progress(100, lambda: now)
    with progress.of(1):
        now = 20.0
    assert progress.due == 80
