"""Ports of the journal of destructions: writing to it, and what a replay does to the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.retention.domain.keys import DestroyedKey, DestroyedPurpose


class DestructionJournal(Protocol):
    """The journal, as those who destroy see it: the store notes what they destroyed by itself."""

    async def written(self) -> None:
        """Return when all that was destroyed before the call is in the journal.

        Raises:
            DependencyUnavailable: it is not, yet; what was destroyed stays so, and calling again waits anew.
        """

    def wake(self) -> None:
        """Have it written soon."""


class JournalReplays(Protocol):
    """What a replay does, in the running transaction."""

    async def destroy_purposes(self, revisions: Collection[int]) -> list[tuple[str, DestroyedPurpose]]:
        """Delete purpose keys by their fencing numbers, and return whose they were."""

    async def destroy_keys(self, ids: Collection[str]) -> list[DestroyedKey]:
        """Delete data keys."""

    async def end_media(self, ends: Sequence[tuple[UUID, datetime]]) -> None:
        """Bring forward when media end, and all that derives from them."""

    async def narrow(self, bounds: Sequence[tuple[int, datetime]]) -> None:
        """Let purpose keys reach back no further than they did."""

    async def subjects(self, salt: str, tags: Collection[str]) -> Mapping[str, str]:
        """Return the persons known here that tags stand for."""

    async def remember_erased(self, salt: str, tag: str, time: datetime) -> None:
        """Write the tombstone of a person who may be unknown here."""

    async def end_epochs(self, epochs: Collection[str], now: datetime) -> None:
        """Record that the keys of epochs are gone for good, whether or not they are known here."""

    async def reserve(self, until: int) -> None:
        """Note up to where fencing numbers may have been handed out."""
