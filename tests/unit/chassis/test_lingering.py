import asyncio
from typing import Any, cast

import grpc
import pytest

from services.chassis.calls import Context
from services.chassis.limits import CHUNK_BYTES, LINGERING_STREAMS
from services.chassis.limits.shares import ShareLimits, Shares
from services.chassis.lingering import linger
from services.chassis.messages import Sized, paced, refusing
from tests.fakes.clock import FakeClock


class Stream:
    """A caller who goes on sending."""

    def __init__(self, messages: float = float("inf")) -> None:
        self._left = messages
        self.read_count = 0

    async def read(self) -> Any:
        self.read_count += 1
        self._left -= 1
        await asyncio.sleep(0)
        return Sized(None, CHUNK_BYTES) if self._left >= 0 else grpc.aio.EOF


@pytest.fixture
def shares() -> Shares:
    return Shares(ShareLimits(), FakeClock())


async def test_what_a_caller_sends_after_the_answer_is_read_to_its_end(shares: Shares) -> None:
    shares.enter("a" * 32)
    stream = Stream(5)
    await linger(cast("Context", stream))
    assert stream.read_count == 6


async def test_of_a_callers_refused_streams_a_few_are_read_at_a_time(shares: Shares) -> None:
    shares.enter("a" * 32)
    streams = [Stream(3) for _ in range(50)]
    await asyncio.gather(*(linger(cast("Context", stream)) for stream in streams))
    await linger(cast("Context", later := Stream(3)))
    assert sum(stream.read_count > 0 for stream in streams) == LINGERING_STREAMS
    assert later.read_count == 4


async def test_a_message_is_not_encoded_once_more_to_learn_its_size(shares: Shares) -> None:
    read = refusing(None)  # bytes, which could not be asked for it

    async def requests() -> Any:
        for data in (b"one", b"two"):
            yield read(data)

    async def handler(messages: Any, context: object) -> list[bytes]:
        return [message async for message in messages]

    async with shares.hold("a" * 32, is_stream=True):
        assert await paced(handler)(requests(), None) == [b"one", b"two"]
