"""Port of the journal's objects: numbered, written once, never changed."""

from datetime import datetime
from typing import Protocol


class JournalObjects(Protocol):
    """Where the journal is kept.

    Every method raises `services.chassis.errors.DependencyUnavailable` when the place cannot be reached.
    """

    async def create(self, number: int, data: bytes) -> bool:
        """Store an object for good, and tell whether it was stored: False if one of this number is there."""

    async def read(self, number: int) -> bytes | None:
        """Return an object; None if there is none of this number."""

    async def newest(self, after: int = -1) -> int | None:
        """Return the highest number there is above `after`; None if there is none."""

    async def store_time(self, number: int) -> datetime | None:
        """Return when an object was stored, by the clock of the place; None if there is none of this number."""
