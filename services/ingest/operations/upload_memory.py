"""Memory of uploads under way: a budget of bytes for each person, and one for the process."""

import asyncio
from collections import Counter

from services.chassis.errors import LimitReached

ROOM_SECONDS = 5.0
"""How long a stream waits for room that has put everything it could into the store."""


FEW_STREAMS = 8
"""Streams of a person up to which each is committed as often as the contract says; of more, each less often."""


class UploadMemory:
    """Bytes that streams hold, by person. A person who has less than an equal part of them always finds room."""

    def __init__(self, process_bytes: int = 256 * 1024**2, person_bytes: int = 64 * 1024**2) -> None:
        self._process_bytes = process_bytes
        self._person_bytes = person_bytes
        self._held: Counter[str] = Counter()
        self._streams: Counter[str] = Counter()
        self._waiting: set[asyncio.Event] = set()

    @property
    def held_bytes(self) -> int:
        """How much all streams hold."""
        return self._held.total()

    def of(self, subject: str) -> "HeldMemory":
        """Return what a new stream of a person holds: nothing yet."""
        self._streams[subject] += 1
        return HeldMemory(self, subject)

    def crowd(self, subject: str) -> float:
        """Return how many times more streams a person has open than a phone needs; 1 for fewer."""
        return max(1.0, self._streams[subject] / FEW_STREAMS)

    def end(self, subject: str) -> None:
        """Note that a stream has ended."""
        self._streams[subject] -= 1
        if not self._streams[subject]:
            del self._streams[subject]

    def has_room(self, subject: str, size: int) -> bool:
        """Tells whether a person may hold so many bytes more."""
        after = self._held[subject] + size
        persons = len(self._held) + (subject not in self._held)
        fits = self._held.total() + size <= self._process_bytes or after * persons <= self._process_bytes
        return fits and after <= self._person_bytes

    async def wait_for_room(self, subject: str, size: int) -> None:
        """Wait until a person may hold so many bytes more.

        Raises:
            LimitReached: the person's streams, or those of all, hold too much for too long.
        """
        freed = asyncio.Event()
        self._waiting.add(freed)
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                while not self.has_room(subject, size):
                    freed.clear()
                    await freed.wait()
        except TimeoutError:
            raise LimitReached.of("caller", "bytes of uploads in memory", self._person_bytes) from None
        finally:
            self._waiting.discard(freed)

    def change(self, subject: str, by: int) -> None:
        """Note that a person holds so many bytes more, or fewer."""
        self._held[subject] += by
        if self._held[subject] <= 0:
            del self._held[subject]
        if by < 0:
            for freed in self._waiting:
                freed.set()


class HeldMemory:
    """What one stream holds."""

    def __init__(self, memory: UploadMemory, subject: str) -> None:
        self._memory = memory
        self._subject = subject
        self._bytes = 0

    def has_room(self, size: int) -> bool:
        """Tells whether it may hold so many bytes more."""
        return self._memory.has_room(self._subject, size)

    async def wait_for_room(self, size: int) -> None:
        """Wait until it may hold so many bytes more; raise `LimitReached` when that takes too long."""
        await self._memory.wait_for_room(self._subject, size)

    @property
    def crowd(self) -> float:
        """How many times more streams its person has open than a phone needs; 1 for fewer."""
        return self._memory.crowd(self._subject)

    def set(self, size: int) -> None:
        """Note how much it holds now."""
        self._memory.change(self._subject, size - self._bytes)
        self._bytes = size

    def release(self) -> None:
        """Give back what it holds; it has ended."""
        self.set(0)
        self._memory.end(self._subject)
