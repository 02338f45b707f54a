"""Port of what the store has lost."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.ingest.domain.records import KeptStream, MediaRow


class MissingMedia(Protocol):
    """The media whose bytes cannot be read."""

    async def streams(self, after: UUID, limit: int) -> list[KeptStream]:
        """Return what is kept of media, by their ids, from behind one on."""

    async def mark(self, media: MediaRow | KeptStream, now: datetime, *, broken: bool) -> bool:
        """Note that what is kept of a media cannot be read, and tell its owner's feed; False if that was known.

        Args:
            media: Nothing happens if it was replaced or deleted meanwhile.
            now: When it was found.
            broken: Whether the objects are there, and their seal does not open.
        """

    async def unmark(self, media: MediaRow | KeptStream, *, opened: bool) -> bool:
        """Note that it can be read after all, and tell its owner's feed; what is broken must have been opened."""
