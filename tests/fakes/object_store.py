"""An object store in memory; the suite in tests/contract/chassis proves it like the real ones."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from services.chassis.clock import Clock, SystemClock
from services.chassis.object_store import STREAM_PIECE_BYTES, ObjectMissing, StoredObject


class FakeObjectStore:
    """Buckets as dictionaries.

    Attributes:
        objects: By bucket and name, for tests that look at what is stored.
        put_times: When each was stored.
        expire_days: The lifecycle backstop of each bucket that has one.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.objects: dict[tuple[str, str], bytes] = {}
        self.put_times: dict[tuple[str, str], datetime] = {}
        self.expire_days: dict[str, int] = {}

    async def put(self, bucket: str, name: str, data: bytes) -> None:
        self.objects[bucket, name] = bytes(data)
        self.put_times[bucket, name] = self._clock.now()

    async def get(self, bucket: str, name: str) -> bytes:
        try:
            return self.objects[bucket, name]
        except KeyError:
            raise ObjectMissing(bucket, name) from None

    async def stream(self, bucket: str, name: str, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        data = await self.get(bucket, name)
        if offset and offset >= len(data) and length != 0:
            raise ObjectMissing(bucket, name)
        end = len(data) if length is None else min(len(data), offset + length)
        for start in range(offset, end, STREAM_PIECE_BYTES):
            yield data[start : min(start + STREAM_PIECE_BYTES, end)]

    async def delete(self, bucket: str, names: Sequence[str]) -> None:
        for name in names:
            self.objects.pop((bucket, name), None)

    async def list(self, bucket: str, prefix: str = "") -> AsyncIterator[str]:
        for held, name in sorted(self.objects):
            if held == bucket and name.startswith(prefix):
                yield name

    async def page(self, bucket: str, after: str, limit: int) -> Sequence[StoredObject]:
        names = sorted(name for held, name in self.objects if held == bucket and name > after)[:limit]
        return [StoredObject(name, self.put_times[bucket, name]) for name in names]

    async def ensure_bucket(self, name: str, expire_days: int | None = None) -> None:
        if expire_days is not None:
            self.expire_days[name] = expire_days
