"""Ports of the store: one transaction at a time."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.retention.domain.keys import (
    Purpose,
    SealedKeys,
)
from services.retention.domain.readers import Reader
from services.retention.domain.revocation import Revocation
from services.retention.ports.erasures import AccountDeletions, Erasures, Orders, Requests
from services.retention.ports.journal import JournalReplays
from services.retention.ports.keys import DataKeys, Epochs, Purposes
from services.retention.ports.revocations import Replicas


class Transaction(Protocol):
    """One transaction: what is done in it shows to others all at once, when it ends."""

    @property
    def epochs(self) -> Epochs:
        """Which epochs there are."""

    @property
    def purposes(self) -> Purposes:
        """Purpose keys."""

    @property
    def keys(self) -> DataKeys:
        """Data keys."""

    @property
    def orders(self) -> Orders:
        """Purge orders."""

    @property
    def erasures(self) -> Erasures:
        """Erasures."""

    @property
    def accounts(self) -> AccountDeletions:
        """Deletions of accounts."""

    @property
    def requests(self) -> Requests:
        """Requests that were answered."""

    @property
    def journal(self) -> JournalReplays:
        """What the journal says, done here as well."""

    async def lock_subject(self, subject: str) -> None:
        """Make this the only transaction that decides about a person until it ends."""

    async def revoke(self, revocations: Sequence[Revocation]) -> None:
        """Tells the holders of keys, at the end of the transaction."""

    async def conclude(self, destruction: UUID) -> None:
        """Tells all replicas that everything a destruction has destroyed was told, at the end of the transaction."""

    async def forget(
        self,
        *,
        tombstones_until: datetime,
        orders_until: datetime,
        erasures_until: datetime,
        accounts_until: datetime,
    ) -> None:
        """Delete records that ended at or before these times; requests as old as an erasure, with erasures."""


class Store(Protocol):
    """The database of this service."""

    @property
    def replicas(self) -> Replicas:
        """The processes of this service, and what they tell each other."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begins a transaction; it is undone if the block raises."""

    async def sealed_keys(
        self, subject: str, purpose: Purpose, ids: Collection[str], reader: Reader, now: datetime
    ) -> SealedKeys | None:
        """Return a live purpose key and those of its data keys that the reader may open now, at one moment.

        None if there is no live purpose key.
        """

    async def kept_media(self, subject: str, media: Collection[UUID], now: datetime) -> set[UUID]:
        """Return those of the media of which a data key of the person lives, under a purpose key that lives."""
