"""Writers of this process: which stream writes which upload."""

import asyncio
from uuid import UUID


class Writers:
    """Tells a stream at once that a newer one of the same request has come; in other processes the store does."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, UUID], asyncio.Event] = {}

    def __len__(self) -> int:
        """Return how many streams write."""
        return len(self._newest)

    def enter(self, subject: str, request_id: UUID) -> asyncio.Event:
        """Return what will be set when a newer stream enters, and set it for the stream before."""
        before, taken_over = self._newest.get((subject, request_id)), asyncio.Event()
        if before is not None:
            before.set()
        self._newest[subject, request_id] = taken_over
        return taken_over

    def leave(self, subject: str, request_id: UUID, taken_over: asyncio.Event) -> None:
        """Forget a stream that has ended."""
        if self._newest.get((subject, request_id)) is taken_over:
            del self._newest[subject, request_id]
