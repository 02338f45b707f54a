"""Holders of keys: the streams of one process, what each was sent and has dropped, and until when its lease lasts."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from services.chassis.clock import Clock, wait_within
from services.retention.domain.revocation import LEASE_SECONDS, HolderNews, Lease, Numbered, Revocation

_QUEUE = 256
MARGIN_SECONDS: Final = 0.1
"""What two clocks may differ in the time of a lease."""
LONGEST_SECONDS: Final = LEASE_SECONDS + MARGIN_SECONDS
"""After this long no lease lasts that was given without knowing of a destruction."""


class Holder:
    """One stream to a holder of keys.

    Attributes:
        sent: Number of the last revocation that it was sent.
        acknowledged: Up to where it dropped what was named.
        lease_end: When its last lease is over for certain, on the clock's monotonic seconds.
        left: Whether it has dropped everything for good.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.acknowledged = 0
        self.lease_end = float("-inf")
        self.left = False
        self._queue: asyncio.Queue[HolderNews | None] = asyncio.Queue()
        self._ended = False

    def tell(self, revocation: Revocation) -> None:
        """Send what was destroyed."""
        self.sent += 1
        self._put(Numbered(self.sent, revocation))

    def grant(self, lease: Lease, end: float) -> None:
        """Send a lease, after all that was sent before; it is over for certain at `end`."""
        self.lease_end = max(self.lease_end, end)
        self._put(lease)

    def end(self) -> None:
        """End the stream, and drop what waits in it."""
        self._ended = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def next(self) -> HolderNews | None:
        """Return what is to be sent next; None at the end."""
        return await self._queue.get()

    def _put(self, news: HolderNews) -> None:
        if self._queue.qsize() >= _QUEUE:
            self.end()  # rather than continued with a gap
        elif not self._ended:
            self._queue.put_nowait(news)


@dataclass(frozen=True)
class _Owed:
    holder: Holder
    number: int
    lease_end: float

    @property
    def is_dropped(self) -> bool:
        return self.holder.left or self.holder.acknowledged >= self.number


class Holders:
    """All holders of keys that this process answers for, those included whose stream broke while they had a lease."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._present: set[Holder] = set()
        self._lost: set[Holder] = set()
        self._moved = asyncio.Event()

    @contextmanager
    def joined(self) -> Iterator[Holder]:
        """Give a holder that is told what is destroyed within the block; after it, it has what its lease leaves it."""
        holder = Holder()
        self._present.add(holder)
        try:
            yield holder
        finally:
            self._present.discard(holder)
            self._lost.add(holder)

    def tell(self, revocation: Revocation) -> None:
        """Send every holder what was destroyed."""
        for holder in self._present:
            holder.tell(revocation)

    def acknowledge(self, holder: Holder, number: int) -> None:
        """Note that a holder dropped what it was sent up to a number."""
        holder.acknowledged = max(holder.acknowledged, number)
        self._wake()

    def leave(self, holder: Holder) -> None:
        """Note that a holder dropped everything for good."""
        holder.left, holder.lease_end = True, float("-inf")
        self.acknowledge(holder, holder.sent)
        holder.end()

    def end_all(self) -> None:
        """End every stream: its holder then drops everything."""
        for holder in self._present:
            holder.end()

    async def dropped(self) -> None:
        """Return when every holder has dropped all that it was sent until now, or its lease of now is over.

        A lease that is given later comes after what was sent, so that who has it has dropped that.
        """
        now = self._clock.monotonic()
        self._lost = {holder for holder in self._lost if holder.lease_end > now}
        owed = [_Owed(each, each.sent, each.lease_end) for each in self._present]
        owed += [_Owed(each, each.sent + 1, each.lease_end) for each in self._lost]
        while (seconds := self._outstanding(owed)) > 0:
            await wait_within(self._moved, seconds, self._clock)

    def _outstanding(self, owed: list[_Owed]) -> float:
        """Return the seconds until the last lease of those who have not dropped it is over."""
        now = self._clock.monotonic()
        return max((each.lease_end - now for each in owed if not each.is_dropped), default=0.0)

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
