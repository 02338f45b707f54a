import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import SystemClock
from services.chassis.errors import FieldInvalid, TokenExpired
from services.chassis.limits import CHUNK_BYTES
from services.chassis.principal import Person, Service, enter_principal
from services.chassis.streams import batches, checked_offset, chunks, until_token_expires
from services.chassis.tokens import LEEWAY

ANN = "a" * 32


async def pieces(*sizes: int) -> AsyncIterator[bytes]:
    for place, size in enumerate(sizes):
        yield bytes([place]) * size


class Watch:
    """A stream that sends two items and waits."""

    def __init__(self) -> None:
        self.closed = False

    async def items(self) -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
            await asyncio.Event().wait()
        finally:
            self.closed = True


async def test_bytes_come_in_pieces_that_fit_a_message() -> None:
    found = [piece async for piece in chunks(pieces(CHUNK_BYTES + 1, 0, 2))]
    assert [len(piece) for piece in found] == [CHUNK_BYTES, 1, 2]


@pytest.mark.parametrize("offset", range(8))
async def test_bytes_go_on_from_an_offset(offset: int) -> None:
    whole = b"".join([piece async for piece in pieces(3, 1, 3)])
    assert b"".join([piece async for piece in chunks(pieces(3, 1, 3), offset)]) == whole[offset:]


@pytest.mark.parametrize("offset", [-1, 8])
def test_an_offset_outside_is_refused(offset: int) -> None:
    with pytest.raises(FieldInvalid, match="from 0 to 7"):
        checked_offset(offset, 7)


async def test_a_watch_ends_with_its_token() -> None:
    enter_principal(Person(ANN, datetime.now(UTC) - LEEWAY + timedelta(milliseconds=50)))
    watch = Watch()
    items = until_token_expires(watch.items(), SystemClock())
    assert [await anext(items), await anext(items)] == [1, 2]
    with pytest.raises(TokenExpired):
        await anext(items)
    assert watch.closed


async def test_a_service_may_listen_on() -> None:
    enter_principal(Service("analysis", ANN))
    items = until_token_expires(Watch().items(), SystemClock())
    assert [await anext(items), await anext(items)] == [1, 2]
    await items.aclose()


async def test_a_stream_that_ends_by_itself_ends() -> None:
    async def three() -> AsyncGenerator[int, None]:
        for number in range(3):
            yield number

    enter_principal(Person(ANN, datetime.now(UTC) + timedelta(hours=1)))
    assert [item async for item in until_token_expires(three(), SystemClock())] == [0, 1, 2]


async def test_another_timeout_is_not_taken_for_the_token_s() -> None:
    async def late() -> AsyncGenerator[int, None]:
        yield 1
        raise TimeoutError

    enter_principal(Person(ANN, datetime.now(UTC) + timedelta(hours=1)))
    items = until_token_expires(late(), SystemClock())
    await anext(items)
    with pytest.raises(TimeoutError):
        await anext(items)


async def test_what_is_there_at_once_goes_together_and_what_comes_later_is_waited_for() -> None:
    watch = Watch()
    told = batches(watch.items(), 10)
    assert await anext(told) == [1, 2]
    following = asyncio.ensure_future(anext(told))
    await asyncio.sleep(0)
    assert not following.done()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert watch.closed


async def test_a_batch_is_no_longer_than_asked_for_and_the_rest_follows() -> None:
    async def items() -> AsyncGenerator[int, None]:
        for number in range(5):
            yield number

    assert [batch async for batch in batches(items(), 2)] == [[0, 1], [2, 3], [4]]


async def test_an_error_comes_after_what_came_before_it() -> None:
    async def items() -> AsyncGenerator[int, None]:
        yield 1
        raise FieldInvalid.of("cursor", "send another")

    told = batches(items(), 10)
    assert await anext(told) == [1]
    with pytest.raises(FieldInvalid):
        await anext(told)
