"""Ports of revocations: what is destroyed reaches all replicas, and through them every holder of keys."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from services.retention.domain.revocation import HolderNews, HolderWord, News, Revocation


class Replicas(Protocol):
    """The processes of this service, and what they tell each other."""

    def told(self, replica: UUID) -> AsyncIterator[Sequence[News]]:
        """Yield what is told from the first item on, in the order of the commits; an empty item is a sign of life.

        Args:
            replica: The one that listens, whose beats are told as well.

        Raises:
            DependencyUnavailable: it can no longer tell.
        """

    async def beat(self, replica: UUID, number: int) -> None:
        """Record that a replica lives, and tell it so.

        Raises:
            DependencyUnavailable: the database does not answer.
        """

    async def ages(self) -> Mapping[UUID, float]:
        """Return the seconds since the last beat of each replica whose holders may still have a lease.

        Raises:
            DependencyUnavailable: the database does not answer.
        """

    async def acknowledge(self, destruction: UUID, replica: UUID) -> None:
        """Tell that no holder that a replica answers for has any more what was destroyed.

        Raises:
            DependencyUnavailable: the database does not answer.
        """


class AwaitedDestruction(Protocol):
    """A destruction that is about to be committed."""

    @property
    def id(self) -> UUID:
        """Its name: told last in its transaction."""

    async def heard(self) -> None:
        """Return when no holder of keys has any more what was destroyed, by then or before: in bounded time."""


class RevocationFeed(Protocol):
    """News of what is destroyed."""

    def watch(self) -> AsyncIterator[Sequence[Revocation]]:
        """Yield what is destroyed from now on; an empty item at once and at least each second.

        Raises:
            DependencyUnavailable: there is a gap, or nothing can be told.
        """

    def hold(self, words: AsyncIterator[HolderWord]) -> AsyncIterator[HolderNews]:
        """Yield what is destroyed from now on, and the leases that a holder of keys asks for.

        Args:
            words: What the holder says.

        Raises:
            DependencyUnavailable: there is a gap, or nothing can be told.
        """

    def awaited(self) -> AbstractContextManager[AwaitedDestruction]:
        """Give a destruction that can be waited for within the block."""
