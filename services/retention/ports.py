"""Ports of retention: the store, one transaction at a time, the epoch keys and the news of what is destroyed."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.retention.domain.erasure import Erasure, StorePurge
from services.retention.domain.keys import (
    DestroyedKey,
    DestroyedPurpose,
    NewKeyRow,
    Purpose,
    PurposeKey,
    SealedKey,
    WrappedKey,
)
from services.retention.domain.orders import PurgeOrder
from services.retention.domain.revocation import Revocation


class KeyWrapper(Protocol):
    """A key that wraps others."""

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        """Return a key sealed and bound to `aad`."""

    def unwrap(self, sealed: bytes, aad: bytes) -> bytes:
        """Return a key in clear.

        Raises:
            WrapBroken: wrong key or `aad`, or altered bytes.
        """


class EpochKeys(Protocol):
    """The keys above the purpose keys; they are kept outside the database."""

    @property
    def newest(self) -> str:
        """Id of the epoch that wraps now, its day in UTC (YYYY-MM-DD); empty before the first."""

    def make(self, epoch: str) -> None:
        """Makes the key of an epoch, or takes the one that is there."""

    def begin(self, epoch: str) -> None:
        """Wraps under an epoch from now on, unless a newer one has begun."""

    def destroy(self, epoch: str) -> None:
        """Destroys the key of an epoch for good; one that is gone is no error."""

    def wrap(self, secret: bytes, aad: bytes) -> WrappedKey:
        """Wraps a key under the newest epoch's."""

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> bytes:
        """Returns a key in clear.

        Raises:
            EpochGone: the epoch's key is destroyed.
        """

    def wrapper(self, wrapped: WrappedKey, aad: bytes) -> KeyWrapper:
        """Return what wraps and unwraps under a wrapped key.

        Raises:
            EpochGone: the epoch's key is destroyed.
        """


class Epochs(Protocol):
    """Which epochs there are."""

    async def add(self, epoch: str, now: datetime) -> None:
        """Records an epoch whose key was made; one that is there stays as it is."""

    async def due(self, made_until: datetime) -> list[str]:
        """Returns epochs made at or before a time and not destroyed."""

    async def destroyed(self) -> list[str]:
        """Returns epochs recorded as destroyed."""

    async def lock_for_wrapping(self, epoch: str) -> bool:
        """Keeps an epoch from being destroyed until the transaction ends; False if it is destroyed."""

    async def lock_for_destruction(self, epoch: str) -> None:
        """Keeps others from wrapping under an epoch until the transaction ends."""

    async def in_use(self, epoch: str) -> bool:
        """Tells whether a purpose key is wrapped under an epoch."""

    async def mark_destroyed(self, epoch: str, now: datetime) -> None:
        """Records that an epoch is destroyed."""


class Purposes(Protocol):
    """Purpose keys, and the decisions that made them."""

    async def next_revision(self) -> int:
        """Returns a fencing number that was never used."""

    async def last_decision(self, subject: str, purpose: Purpose) -> int | None:
        """Returns the latest consent revision seen for a purpose."""

    async def record_decision(self, subject: str, purposes: Collection[Purpose], revision: int) -> None:
        """Remembers a consent revision unless a later one is known."""

    async def get(self, subject: str, purpose: Purpose) -> PurposeKey | None:
        """Returns a purpose key, whether expired or not."""

    async def share(self, subject: str, purpose: Purpose, now: datetime) -> PurposeKey | None:
        """Returns a live purpose key and keeps it from being destroyed until the transaction ends."""

    async def hold_all(self, subject: str) -> None:
        """Keeps every other transaction from creating keys for a person until this one ends."""

    async def put(self, key: PurposeKey) -> None:
        """Stores a purpose key, or its new consent revision, end and wrapping."""

    async def expired(self, now: datetime, limit: int) -> list[PurposeKey]:
        """Returns purpose keys whose grant has ended."""

    async def destroy(
        self, subject: str, purposes: Collection[Purpose], consent_revision: int
    ) -> list[DestroyedPurpose]:
        """Deletes purpose keys granted at this consent revision or an older one."""

    async def destroy_all(self, subject: str) -> None:
        """Deletes the purpose keys of a person, and what is known of their decisions."""

    async def outside_epoch(self, epoch: str, after: tuple[str, str], limit: int) -> list[PurposeKey]:
        """Returns purpose keys that other epochs wrap, in the order of (subject, purpose), and locks them.

        Those that another transaction holds are waited for.
        """


class DataKeys(Protocol):
    """Data keys, and the media that they derive from."""

    async def add(self, key: PurposeKey, owner: str, rows: Sequence[NewKeyRow]) -> None:
        """Stores new data keys."""

    async def destroy(self, subject: str, owner: str, ids: Collection[str]) -> list[DestroyedKey]:
        """Deletes data keys of a person that a service owns."""

    async def destroy_derived(self, subject: str, media: Collection[UUID]) -> list[DestroyedKey]:
        """Deletes the data keys of a person that derive from any of these media."""

    async def destroy_due(self, now: datetime, limit: int) -> list[DestroyedKey]:
        """Deletes data keys whose time has come, the oldest first; skips what another transaction holds."""

    async def clear_purpose(self, subject: str, destroyed: DestroyedPurpose, limit: int) -> list[tuple[UUID, ...]]:
        """Deletes rows that a destroyed purpose key left behind, and returns their lineages."""

    async def clear_subject(self, subject: str, revision: int, limit: int) -> int:
        """Deletes rows that an erasure left behind, and returns how many."""

    async def latest_delete_time(self, subject: str, media: UUID) -> datetime | None:
        """Returns when the last data key that derives from a media is destroyed; None if there is none."""

    async def shorten(self, subject: str, media: UUID, delete_time: datetime) -> int:
        """Brings forward the time of all data keys that derive from a media, and returns how many changed."""

    async def next_time(self) -> datetime | None:
        """Returns the next time at which a data key or a purpose key ends."""

    async def ends(self, subject: str, media: Collection[UUID]) -> Mapping[UUID, datetime]:
        """Returns when media end that are known; a time long past for those whose own key is destroyed."""

    async def bring_in(self, key: PurposeKey, ends: Mapping[UUID, datetime]) -> None:
        """Remembers media that came in under a purpose key, and when they end; a known one stays as it is."""

    async def end(self, subject: str, media: Collection[UUID], delete_time: datetime) -> None:
        """Brings forward when media end, for all that will derive from them; an earlier end stays."""


class Orders(Protocol):
    """Purge orders and what was reported."""

    async def add(self, orders: Sequence[PurgeOrder]) -> None:
        """Stores orders, and the events that announce those to other services."""

    async def outstanding(self, service: str, after: int, limit: int) -> list[tuple[int, PurgeOrder]]:
        """Returns outstanding orders of a service by number, the oldest first."""

    async def next_of(self, service: str) -> PurgeOrder | None:
        """Returns the oldest outstanding order of a service that no other transaction holds, and holds it."""

    async def hold(self, order: UUID, service: str) -> PurgeOrder | None:
        """Returns an order of a service and holds it until the transaction ends."""

    async def report(self, order: UUID, purged: Mapping[str, int]) -> None:
        """Adds to what stores deleted for an order."""

    async def complete(self, order: UUID, now: datetime) -> None:
        """Records that an order was carried out."""


class Erasures(Protocol):
    """Erasures, and persons that were erased."""

    async def add(self, erasure: Erasure) -> None:
        """Stores an erasure."""

    async def by_request(self, subject: str, request_id: UUID) -> Erasure | None:
        """Returns the erasure that a request made."""

    async def of_media(self, subject: str, media: UUID) -> Erasure | None:
        """Returns the erasure of a media."""

    async def get(self, subject: str, erasure: UUID) -> Erasure | None:
        """Returns an erasure of a person."""

    async def page(self, subject: str, before: int, limit: int) -> list[tuple[int, Erasure]]:
        """Returns erasures of a person by number, the newest first."""

    async def reports(self, erasures: Collection[UUID]) -> Mapping[UUID, list[StorePurge]]:
        """Returns what the stores deleted; for an order without a report, its service with an empty store."""

    async def finish(self, erasure: UUID, now: datetime) -> None:
        """Records that an erasure is purged if no order of it is outstanding; one at a time per erasure."""

    async def subject_erased_at(self, subject: str) -> datetime | None:
        """Returns when everything of a person was erased last."""

    async def mark_subject(self, subject: str, now: datetime) -> None:
        """Remembers that everything of a person was erased."""


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

    async def lock_subject(self, subject: str) -> None:
        """Makes this the only transaction that decides about a person until it ends."""

    async def revoke(self, revocations: Sequence[Revocation]) -> None:
        """Tells the holders of keys, at the end of the transaction."""

    async def forget(self, *, tombstones_until: datetime, orders_until: datetime, erasures_until: datetime) -> None:
        """Deletes records that ended at or before these times."""


class Store(Protocol):
    """The database of this service."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begins a transaction; it is undone if the block raises."""

    async def sealed_keys(
        self, subject: str, purpose: Purpose, ids: Collection[str], now: datetime
    ) -> tuple[PurposeKey, list[SealedKey]] | None:
        """Returns a live purpose key and those of the data keys that hang on it and are not over, at one moment.

        None if there is no live purpose key.
        """

    def revocations(self) -> AsyncIterator[Sequence[Revocation]]:
        """Yields what is destroyed, by whatever process, from the first item on; an empty one is a sign of life.

        Raises:
            DependencyUnavailable: it can no longer tell.
        """


class RevocationFeed(Protocol):
    """News of what is destroyed."""

    def watch(self) -> AsyncIterator[Sequence[Revocation]]:
        """Yield what is destroyed from now on; an empty item at once and at least each second.

        Raises:
            DependencyUnavailable: there is a gap, or nothing can be told.
        """
