"""What an object store promises; run against the fake and against every real server."""

import asyncio
import secrets
from abc import ABC, abstractmethod
from datetime import timedelta

import pytest

from services.chassis.object_store import ObjectMissing, ObjectStore, random_name

MIB = 1024 * 1024


class ObjectStoreSuite(ABC):
    """Collected through its subclasses, each of which brings a store with an empty bucket."""

    @pytest.fixture
    @abstractmethod
    def store(self) -> ObjectStore:
        """Return the store."""

    @pytest.fixture
    @abstractmethod
    def bucket(self) -> str:
        """Return the name of a bucket that is there."""

    @pytest.mark.parametrize("size", [0, 1, MIB, 3 * MIB + 17])
    async def test_what_was_put_can_be_got(self, store: ObjectStore, bucket: str, size: int) -> None:
        name, data = random_name(), secrets.token_bytes(size)
        await store.put(bucket, name, data)
        assert await store.get(bucket, name) == data

    async def test_a_put_replaces_what_had_the_name(self, store: ObjectStore, bucket: str) -> None:
        name = random_name()
        await store.put(bucket, name, b"first")
        await store.put(bucket, name, b"second")
        assert await store.get(bucket, name) == b"second"

    async def test_any_buffer_can_be_put(self, store: ObjectStore, bucket: str) -> None:
        name = random_name()
        await store.put(bucket, name, bytes(bytearray(b"buffer")))
        assert await store.get(bucket, name) == b"buffer"

    async def test_an_object_that_is_not_there_is_missing(self, store: ObjectStore, bucket: str) -> None:
        with pytest.raises(ObjectMissing):
            await store.get(bucket, random_name())

    async def test_a_stream_of_an_object_that_is_not_there_is_missing(self, store: ObjectStore, bucket: str) -> None:
        with pytest.raises(ObjectMissing):
            await anext(aiter(store.stream(bucket, random_name())))

    async def test_an_object_that_is_shorter_than_where_a_stream_begins_is_missing(
        self, store: ObjectStore, bucket: str
    ) -> None:
        name = random_name()
        await store.put(bucket, name, b"short")
        with pytest.raises(ObjectMissing):
            await anext(aiter(store.stream(bucket, name, 5, 1)))

    async def test_a_stream_holds_the_whole_object_in_pieces(self, store: ObjectStore, bucket: str) -> None:
        name, data = random_name(), secrets.token_bytes(2 * MIB + 5)
        await store.put(bucket, name, data)
        pieces = [piece async for piece in store.stream(bucket, name)]
        assert b"".join(pieces) == data
        assert max(map(len, pieces)) <= MIB

    @pytest.mark.parametrize(("offset", "length"), [(0, 10), (5, 10), (MIB - 1, 2), (7, None), (7, 0)])
    async def test_a_stream_holds_the_part_asked_for(
        self, store: ObjectStore, bucket: str, offset: int, length: int | None
    ) -> None:
        name, data = random_name(), secrets.token_bytes(MIB + 100)
        await store.put(bucket, name, data)
        part = b"".join([piece async for piece in store.stream(bucket, name, offset, length)])
        assert part == data[offset : None if length is None else offset + length]

    async def test_a_stream_left_early_leaves_the_store_usable(self, store: ObjectStore, bucket: str) -> None:
        name = random_name()
        await store.put(bucket, name, secrets.token_bytes(4 * MIB))
        for _ in range(12):
            stream = store.stream(bucket, name)
            await anext(aiter(stream))
            await stream.aclose()  # type: ignore[attr-defined]
        assert len(await store.get(bucket, name)) == 4 * MIB

    async def test_a_deleted_object_is_missing(self, store: ObjectStore, bucket: str) -> None:
        name = random_name()
        await store.put(bucket, name, b"data")
        await store.delete(bucket, [name])
        with pytest.raises(ObjectMissing):
            await store.get(bucket, name)

    async def test_deleting_what_is_not_there_is_no_error(self, store: ObjectStore, bucket: str) -> None:
        name = random_name()
        await store.put(bucket, name, b"data")
        await store.delete(bucket, [random_name(), name])
        assert [found async for found in store.list(bucket, name)] == []

    async def test_deleting_nothing_does_nothing(self, store: ObjectStore, bucket: str) -> None:
        await store.delete(bucket, [])

    async def test_a_list_holds_the_names_with_the_prefix(self, store: ObjectStore, bucket: str) -> None:
        prefix = random_name()
        names = [f"{prefix}{number}" for number in range(5)]
        for name in [*names, random_name()]:
            await store.put(bucket, name, b"")
        assert sorted([name async for name in store.list(bucket, prefix)]) == names

    async def test_a_page_holds_the_names_after_one_in_order(self, store: ObjectStore, bucket: str) -> None:
        prefix = "~" + random_name()  # after whatever else is there
        names = [f"{prefix}{number}" for number in range(5)]
        for name in reversed(names):
            await store.put(bucket, name, b"")
        assert [each.name for each in await store.page(bucket, names[0], 3)] == names[1:4]
        assert [each.name for each in await store.page(bucket, names[3], 3)] == names[4:]
        assert await store.page(bucket, names[4], 3) == []

    async def test_a_page_says_when_objects_were_stored(self, store: ObjectStore, bucket: str) -> None:
        name = "~" + random_name()
        await store.put(bucket, name, b"")
        (found,) = (each for each in await store.page(bucket, "~", 1000) if each.name == name)
        assert found.put_time.utcoffset() == timedelta()

    async def test_many_requests_at_once_all_succeed(self, store: ObjectStore, bucket: str) -> None:
        objects = {random_name(): secrets.token_bytes(1000) for _ in range(50)}
        await asyncio.gather(*(store.put(bucket, name, data) for name, data in objects.items()))
        found = await asyncio.gather(*(store.get(bucket, name) for name in objects))
        assert found == list(objects.values())

    async def test_a_bucket_that_is_there_stays_as_it_is(self, store: ObjectStore, bucket: str) -> None:
        name = random_name()
        await store.put(bucket, name, b"data")
        await store.ensure_bucket(bucket, expire_days=32)
        assert await store.get(bucket, name) == b"data"
