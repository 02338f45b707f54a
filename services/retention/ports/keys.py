"""Ports of keys: epochs outside the database, and the tables of keys."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.retention.domain.keys import (
    Derivation,
    DestroyedKey,
    DestroyedPurpose,
    NewKeyRow,
    Portion,
    Purpose,
    PurposeKey,
    SealedKey,
    WrappedKey,
)


class DataKeyWrapper(Protocol):
    """The key of a purpose, which with that of an epoch wraps data keys."""

    def wrap(self, id_: str, secret: bytes, epoch: str) -> WrappedKey:
        """Wrap a data key under an epoch.

        Raises:
            EpochGone: the epoch's key is destroyed.
        """

    def unwrap(self, id_: str, wrapped: WrappedKey) -> bytes:
        """Return a data key in clear.

        Raises:
            EpochGone: the epoch's key is destroyed.
            WrapBroken: the row was altered, or another key has taken the place of its epoch's.
        """


class EpochKeys(Protocol):
    """The keys above the purpose keys and data keys; they are kept outside the database.

    What answers at once raises `KeysAway` where the answer is not at hand, as when a server has it: `fetch` gets it,
    while no connection of the database is held (`operations.keys_at_hand`).
    """

    @property
    def place(self) -> str:
        """Where they are, in words for an operator."""

    @property
    def can_go_back(self) -> bool:
        """Whether another tool may put the keys of an earlier time in the place of today's, as a snapshot's restore."""

    @property
    def newest(self) -> str:
        """Id of the epoch that wraps now, its day in UTC (YYYY-MM-DD); empty before the first."""

    async def look(self) -> None:
        """See which keys are there now."""

    async def fetch(self, wanted: Collection[Derivation]) -> None:
        """Get what was not at hand.

        Raises:
            KeysUnavailable: what keeps the keys does not answer.
        """

    def require(self, wanted: Collection[Derivation]) -> None:
        """Make sure that all of this is at hand; raise `KeysAway` once for all that is not."""

    def all(self) -> list[str]:
        """Return the ids of all epochs whose keys are there."""

    def has(self, epoch: str) -> bool:
        """Tell whether the key of an epoch is there and opens."""

    def fingerprint(self, epoch: str) -> bytes:
        """Return what tells the key of an epoch from another key of its name, and nothing about it.

        Raises:
            EpochGone: the key is destroyed.
        """

    async def ensure(self, epoch: str) -> bool:
        """Make the key of an epoch, or take the one that is there; tell whether it was made."""

    def begin(self, epoch: str) -> None:
        """Wrap under an epoch from now on, unless a newer one has begun."""

    async def end(self, epoch: str) -> None:
        """Destroys the key of an epoch for good, and makes sure that it is gone; one that is gone is no error."""

    def shun(self, epochs: Collection[str]) -> None:
        """Use the keys of these epochs never again, should they come back."""

    def wrap(self, secret: bytes, aad: bytes) -> WrappedKey:
        """Wrap a key under the newest epoch's.

        Raises:
            EpochGone: its key is lost.
        """

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> bytes:
        """Return a key in clear.

        Raises:
            EpochGone: the epoch's key is destroyed.
        """

    def data_keys(self, key: PurposeKey, epochs: Collection[str] = ()) -> DataKeyWrapper:
        """Return what wraps and unwraps the data keys of a purpose key, with these epochs at hand.

        Raises:
            EpochGone: the purpose key's epoch is destroyed.
        """


class Epochs(Protocol):
    """Which epochs there are."""

    async def add(self, epoch: str, now: datetime, fingerprint: bytes) -> None:
        """Record an epoch whose key was made; of one that is there a fingerprint that is not known is added."""

    async def renew(self, epoch: str, fingerprint: bytes) -> None:
        """Record that another key has taken the place of a lost one."""

    async def due(self, made_until: datetime) -> list[str]:
        """Return epochs made at or before a time and not destroyed."""

    async def destroyed(self) -> list[str]:
        """Return epochs recorded as destroyed."""

    async def living(self, made_after: datetime) -> Mapping[str, bytes | None]:
        """Return epochs made after a time and not destroyed, in order, with their fingerprints as far as known."""

    async def gone(self) -> list[str]:
        """Return epochs whose keys were seen to be gone."""

    async def mark_gone(self, epoch: str, now: datetime) -> None:
        """Record that the key of a destroyed epoch was seen to be gone; the journal is told."""

    async def mark_reappeared(self, epoch: str, now: datetime) -> None:
        """Record that the key of an epoch was there again."""

    async def lock_for_wrapping(self, epoch: str) -> bool:
        """Keep an epoch from being destroyed until the transaction ends; False if it is destroyed."""

    async def lock_for_destruction(self, epoch: str) -> None:
        """Keep others from wrapping under an epoch until the transaction ends."""

    async def in_use(self, epoch: str, now: datetime) -> bool:
        """Tell whether an epoch wraps a purpose key, or a data key that lives."""

    async def mark_destroyed(self, epoch: str, now: datetime) -> None:
        """Record that an epoch is destroyed."""


class Purposes(Protocol):
    """Purpose keys, and the decisions that made them."""

    async def next_revision(self) -> int:
        """Return a fencing number that was never used."""

    async def last_decision(self, subject: str, purpose: Purpose) -> int | None:
        """Return the latest consent revision seen for a purpose."""

    async def latest_decision(self, subject: str) -> int:
        """Return the latest consent revision seen for any purpose of a person; 0 if none was."""

    async def record_decision(self, subject: str, purposes: Collection[Purpose], revision: int) -> None:
        """Remembers a consent revision unless a later one is known."""

    async def get(self, subject: str, purpose: Purpose) -> PurposeKey | None:
        """Return a purpose key, whether expired or not."""

    async def share(self, subject: str, purpose: Purpose, now: datetime) -> PurposeKey | None:
        """Return a live purpose key and keep it from being destroyed until the transaction ends."""

    async def hold_all(self, subject: str) -> None:
        """Keep every other transaction from creating keys for a person until this one ends."""

    async def put(self, key: PurposeKey) -> None:
        """Store a purpose key, or its new consent revision, end and wrapping."""

    async def expired(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[tuple[str, str]]:
        """Return persons and purposes whose grant has ended, the oldest first, but not these `person/purpose`."""

    async def destroy(
        self, subject: str, purposes: Collection[Purpose], consent_revision: int
    ) -> list[DestroyedPurpose]:
        """Delete purpose keys granted at this consent revision or an older one."""

    async def destroy_all(self, subject: str) -> None:
        """Delete the purpose keys of a person, and what is known of their decisions."""

    async def outside_epoch(self, epoch: str, after: tuple[str, str], limit: int) -> list[PurposeKey]:
        """Return purpose keys that other epochs wrap, in the order of (subject, purpose), and locks them.

        Those that another transaction holds are waited for.
        """


class DataKeys(Protocol):
    """Data keys, and the media that they derive from."""

    async def add(self, key: PurposeKey, owner: str, rows: Sequence[NewKeyRow]) -> None:
        """Store new data keys."""

    async def of_media(self, key: PurposeKey) -> list[tuple[UUID, SealedKey]]:
        """Return the data keys of media that came in under a purpose key, and of each alone, with that media."""

    async def under_epoch(self, epoch: str, *, after: str, now: datetime, limit: int) -> Portion:
        """Return data keys of an epoch, those that live with their purpose keys, and lock them.

        A key that another transaction holds is left out.

        Args:
            epoch: Id of the epoch, or `NO_EPOCH`.
            after: The last id of the portion before; `FIRST_ID` for the first.
            now: What is over then does not live.
            limit: Of keys.
        """

    async def wrap_anew(self, keys: Collection[SealedKey]) -> None:
        """Replace the wrapping of data keys."""

    async def destroy_lost(self, ids: Collection[str]) -> list[DestroyedKey]:
        """Delete data keys that can no longer be opened."""

    async def destroy(self, subject: str, owner: str, ids: Collection[str]) -> list[DestroyedKey]:
        """Delete data keys of a person that a service owns."""

    async def destroy_derived(self, subject: str, media: Collection[UUID]) -> list[DestroyedKey]:
        """Delete the data keys of a person that derive from any of these media."""

    async def due(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[DestroyedKey]:
        """Return data keys, but these, whose time has come, the oldest first."""

    async def orphans_of(self, subject: str, purpose: Purpose, now: datetime, limit: int) -> list[UUID]:
        """Return media of a person that have not ended and came in under a key of a purpose that is gone."""

    async def destroy_due(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[DestroyedKey]:
        """Delete data keys, but these, whose time has come, the oldest first; skips what another transaction holds."""

    async def destroy_one_due(self, now: datetime, id_: str) -> list[DestroyedKey]:
        """Delete a data key if its time has come."""

    async def clear_purpose(self, subject: str, destroyed: DestroyedPurpose, limit: int) -> list[tuple[UUID, ...]]:
        """Delete rows that a destroyed purpose key left behind, and return their lineages."""

    async def clear_subject(self, subject: str, revision: int, limit: int) -> int:
        """Delete rows that an erasure left behind, and return how many."""

    async def latest_delete_time(self, subject: str, media: UUID) -> datetime | None:
        """Return when the last data key that derives from a media is destroyed; None if there is none."""

    async def shorten(self, subject: str, media: UUID, delete_time: datetime) -> int:
        """Brings forward the time of all data keys that derive from a media, and returns how many changed."""

    async def next_time(self) -> datetime | None:
        """Return the next time at which a data key or a purpose key ends, or the deletion of an account begins."""

    async def ends(self, subject: str, media: Collection[UUID]) -> Mapping[UUID, datetime]:
        """Return when media end that are known; a time long past for those whose own key is destroyed."""

    async def came_in(self, subject: str, purpose: Purpose, media: Collection[UUID]) -> set[UUID]:
        """Return those of the media that came in under a purpose."""

    async def bring_in(self, key: PurposeKey, ends: Mapping[UUID, datetime]) -> None:
        """Remembers media that came in under a purpose key, and when they end; a known one stays as it is."""

    async def end(self, subject: str, media: Collection[UUID], delete_time: datetime) -> None:
        """Brings forward when media end, for all that will derive from them; an earlier end stays."""
