"""Refusals of retention, of which `pellicule.retention.v1.ErrorReason` is the manual, and faults of its files."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self
from uuid import UUID

from services.chassis.errors import DependencyUnavailable, DomainError, Status
from services.retention.domain.account import AccountDeletionState
from services.retention.domain.keys import Derivation, Purpose, media_name


class PurposeNotGranted(DomainError):
    """The person has no key for this purpose."""

    status = Status.FAILED_PRECONDITION
    reason = "PURPOSE_NOT_GRANTED"

    @classmethod
    def of(cls, purpose: Purpose) -> Self:
        """Return the error for a purpose."""
        return cls(
            f"the person has no key for {purpose}: never granted, withdrawn or expired; ask for consent first",
            metadata={"purpose": purpose},
        )

    @classmethod
    def so_far_back(cls, purpose: Purpose) -> Self:
        """Return the error for a media that was taken before the bound of the grant."""
        return cls(
            f"{purpose} does not reach back to when this was taken: let it reach further, or leave it on the phone",
            metadata={"purpose": purpose},
        )


class RevisionStale(DomainError):
    """A later decision about the purpose is known."""

    status = Status.ABORTED
    reason = "REVISION_STALE"

    @classmethod
    def of(cls, purpose: Purpose, *, revision: int, current: int) -> Self:
        """Return the error with the revision that is known."""
        return cls(
            f"revision {revision} of {purpose} is not later than {current}: read the person's state again",
            metadata={"purpose": purpose, "revision": str(revision), "current": str(current)},
        )


class DeadlineNotShorter(DomainError):
    """A delete-by time can only be brought forward."""

    status = Status.FAILED_PRECONDITION
    reason = "DEADLINE_NOT_SHORTER"

    @classmethod
    def of(cls, present: datetime) -> Self:
        """Return the error with the time that holds."""
        return cls(
            f"delete_time: it can only be brought forward, and is {present.isoformat()} now",
            metadata={"delete_time": present.isoformat()},
        )


class DeadlineTooFar(DomainError):
    """A delete-by time lies in the past or beyond the longest retention."""

    status = Status.INVALID_ARGUMENT
    reason = "DEADLINE_TOO_FAR"

    @classmethod
    def of(cls, field: str, longest_days: int) -> Self:
        """Return the error for a field."""
        return cls(
            f"{field}: choose a time from now to {longest_days} days ahead",
            metadata={"field": field, "longest_days": str(longest_days)},
        )


class ErasureNotFound(DomainError):
    """The caller has no erasure of this name."""

    status = Status.NOT_FOUND
    reason = "ERASURE_NOT_FOUND"

    @classmethod
    def of(cls, erasure: UUID) -> Self:
        """Return the error for an erasure."""
        name = f"erasures/{erasure}"
        return cls(f"{name}: no such erasure; list yours with ListErasures", metadata={"erasure": name})


class MediaNotFound(DomainError):
    """Nothing of the caller's is kept for this media."""

    status = Status.NOT_FOUND
    reason = "MEDIA_NOT_FOUND"

    @classmethod
    def of(cls, media: UUID) -> Self:
        """Return the error for a media."""
        name = media_name(media)
        return cls(f"{name}: nothing of yours is kept for this media", metadata={"media": name})


class MediaErased(DomainError):
    """A media in the lineage was erased or has passed its deadline."""

    status = Status.NOT_FOUND
    reason = "MEDIA_ERASED"

    @classmethod
    def of(cls, media: UUID) -> Self:
        """Return the error for a media."""
        name = media_name(media)
        return cls(f"{name}: erased or past its deadline, nothing may derive from it", metadata={"media": name})


class PurgeOrderNotFound(DomainError):
    """No order of this name is addressed to the caller."""

    status = Status.NOT_FOUND
    reason = "PURGE_ORDER_NOT_FOUND"

    @classmethod
    def of(cls, order: UUID) -> Self:
        """Return the error for an order."""
        name = f"purgeOrders/{order}"
        return cls(f"{name}: no such order for this service", metadata={"purge_order": name})


class SubjectErased(DomainError):
    """The person was erased after they decided."""

    status = Status.FAILED_PRECONDITION
    reason = "SUBJECT_ERASED"

    @classmethod
    def before_grant(cls) -> Self:
        """Return the error of a grant."""
        return cls("the person was erased after this decision: it counts no more, a new one starts afresh")


class RequestIdReused(DomainError):
    """The request id belongs to another request."""

    status = Status.ALREADY_EXISTS
    reason = "REQUEST_ID_REUSED"

    @classmethod
    def of(cls, request_id: UUID) -> Self:
        """Return the error for a request id."""
        return cls(
            f"request_id: {request_id} was used for another request: send a new UUID with every new request",
            metadata={"request_id": str(request_id)},
        )


class AccountDeletionNotFound(DomainError):
    """The caller has no account deletion of this name."""

    status = Status.NOT_FOUND
    reason = "ACCOUNT_DELETION_NOT_FOUND"

    @classmethod
    def of(cls, deletion: UUID) -> Self:
        """Return the error for a deletion."""
        name = f"accountDeletions/{deletion}"
        return cls(f"{name}: no such account deletion", metadata={"account_deletion": name})


class AccountDeletionBegun(DomainError):
    """The deletion has begun: what is destroyed cannot come back."""

    status = Status.FAILED_PRECONDITION
    reason = "ACCOUNT_DELETION_BEGUN"

    @classmethod
    def of(cls, deletion: UUID, state: AccountDeletionState) -> Self:
        """Return the error for a deletion and how far it has come."""
        name = f"accountDeletions/{deletion}"
        return cls(
            f"{name}: has begun, what is destroyed cannot come back",
            metadata={"account_deletion": name, "state": state},
        )


class NoLiveEpoch(DependencyUnavailable):
    """No epoch key lives that could wrap a new purpose key."""

    @classmethod
    def yet(cls) -> Self:
        """Return the error of a grant."""
        return cls("no epoch key lives: the clock loop makes one", metadata={"dependency": "epochs"})


class EpochsMisplaced(DependencyUnavailable):
    """Epochs that should live are missing, and so many that they cannot be lost one by one."""

    @classmethod
    def those(cls, missing: Sequence[str], place: str) -> Self:
        """Return the error with the epochs that are missing, and where they should be."""
        names = ",".join(missing)
        return cls(
            f"the keys of epochs {names} are missing or are others: nothing is opened or destroyed. Put back {place}."
            f" If they are gone for good, start once with PELLICULE_LOST_EPOCHS={names}: what they sealed is deleted"
            " and the persons are asked again",
            metadata={"dependency": "epochs"},
        )


class KeysUnavailable(DependencyUnavailable):
    """What keeps the keys of epochs does not answer, or refuses; nothing is lost by that."""

    @classmethod
    def because(cls, place: str, why: str) -> Self:
        """Return the error with where the keys are and what is wrong."""
        return cls(f"{place}: {why}", metadata={"dependency": "epochs"})


class RevocationsInterrupted(DependencyUnavailable):
    """A holder of keys may have missed what was destroyed."""

    @classmethod
    def now(cls) -> Self:
        """Return the error of a stream."""
        return cls("it cannot be told what is destroyed: drop all keys and call again")


class KeysAway(Exception):
    """What is wanted of the keys of epochs is not at hand: fetch it, and try again.

    Attributes:
        wanted: Of which epochs, and for what.
    """

    def __init__(self, wanted: Collection[Derivation]) -> None:
        super().__init__(f"{len(wanted)} to fetch")
        self.wanted = frozenset(wanted)


class EpochGone(Exception):
    """The key of an epoch is destroyed, and with it all that hangs on it."""


class WrapBroken(Exception):
    """A wrapped key was altered, or belongs to another key or purpose."""


class RootKeyUnusable(Exception):
    """The root key's file cannot be used; the message names it and says what to do."""

    @classmethod
    def unreadable(cls, file: Path, why: Exception) -> Self:
        """Return the error for a file that is missing or no text."""
        return cls(f"{file}: {type(why).__name__}: give PELLICULE_ROOT_KEY_FILE a readable file")

    @classmethod
    def open_to_others(cls, file: Path, mode: int) -> Self:
        """Return the error for a file that others can read."""
        return cls(f"{file}: mode {mode:04o} lets others in: chmod 0600 it")

    @classmethod
    def malformed(cls, file: Path, size: int) -> Self:
        """Return the error for a file that holds no key."""
        return cls(f"{file}: expected {size} random bytes in hex ({2 * size} characters)")
