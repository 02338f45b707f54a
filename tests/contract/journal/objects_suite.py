"""What every place of the journal promises."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.journal import JournalObjects


class JournalObjectsSuite:
    async def test_an_object_is_read_as_it_was_stored(self, objects: JournalObjects) -> None:
        assert await objects.create(0, b"first")
        assert await objects.read(0) == b"first"

    async def test_an_object_that_is_there_is_never_replaced(self, objects: JournalObjects) -> None:
        await objects.create(0, b"first")
        assert not await objects.create(0, b"second")
        assert await objects.read(0) == b"first"

    async def test_of_two_writers_at_a_time_one_is_told_that_it_came_first(self, objects: JournalObjects) -> None:
        data = [f"writer {number}".encode() for number in range(8)]
        told = await asyncio.gather(*(objects.create(0, each) for each in data))
        assert told.count(True) == 1
        assert await objects.read(0) == data[told.index(True)]

    async def test_what_is_not_there_is_none(self, objects: JournalObjects) -> None:
        assert await objects.read(0) is None
        assert await objects.newest() is None
        assert await objects.store_time(0) is None

    async def test_when_an_object_was_stored_is_known(self, objects: JournalObjects) -> None:
        await objects.create(0, b"first")
        stored = await objects.store_time(0)
        assert stored is not None
        assert abs(datetime.now(UTC) - stored) < timedelta(minutes=1)

    @pytest.mark.parametrize(("after", "newest"), [(-1, 12), (9, 12), (12, None)])
    async def test_the_newest_is_found_by_number(self, objects: JournalObjects, after: int, newest: int | None) -> None:
        for number in (0, 9, 12):
            await objects.create(number, b"")
        assert await objects.newest(after) == newest
