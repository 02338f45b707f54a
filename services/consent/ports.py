"""Ports of consent: the stores, the keys, the signer and the news of changes that its operations stand on."""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from services.chassis.limits.allowance import DailyLimit
from services.consent.domain.change import Change, Request
from services.consent.domain.consent import ConsentEvent
from services.consent.domain.history import History, RecordedResult
from services.consent.domain.notice import Notice, NoticeServing, PublishedNotice
from services.consent.domain.policy import Policy
from services.consent.domain.receipt import Receipt

BEGINNING = datetime.min.replace(tzinfo=UTC)
"""Before anything was decided."""


class ReceiptSigner(Protocol):
    """Signs receipts with the key of this installation."""

    def sign(self, event: ConsentEvent, *, subject: str) -> Receipt:
        """Return the receipt of an event of a person (pseudonym); asked for again, it is the same."""


class Ledger(Protocol):
    """One person's consent while no other call can change it. Each method is a transaction of its own.

    Every method raises `TurnTaken` once another call has overtaken this one.
    """

    async def history(self) -> History:
        """Return what is written down."""

    async def recorded_result(self, request_id: UUID) -> RecordedResult | None:
        """Return what a request was answered, if it was."""

    async def answer_times(self, *, since: datetime, limit: int) -> Sequence[datetime]:
        """Return when requests were answered after a time, newest first."""

    async def begin(self, change: Change) -> None:
        """Write a change down that is about to be turned into keys; its revisions are used up."""

    async def finish(self, change: Change) -> None:
        """Make a change true: its events, its answer and its announcement, and nothing is pending any more."""

    async def purge(self, erase_time: datetime) -> Mapping[str, int]:
        """Delete what was written down until then, and its key; what came later is sealed anew.

        Returns:
            Rows deleted, by store as the data map names them.
        """


class ConsentStore(Protocol):
    """The consent of all persons."""

    def locked(self, subject: str, *, overtakes: bool = False) -> AbstractAsyncContextManager[Ledger]:
        """Wait until no other call changes this person's consent, and keep it so for the block.

        Args:
            subject: The person's pseudonym.
            overtakes: Whether the call that goes before is fenced off where it takes long: all that it still does to
                its ledger fails.

        Raises:
            TurnTaken: another call goes first, for too long.
        """

    async def history(self, subject: str) -> History:
        """Return what is written down, while others may change it."""

    async def recorded_result(self, subject: str, request_id: UUID) -> RecordedResult | None:
        """Return what a request was answered, while others may be at it."""

    async def events(self, subject: str, *, below: int | None, limit: int) -> Sequence[ConsentEvent]:
        """Return a person's events with revisions under `below`, newest first."""

    async def due(
        self, now: datetime, *, limit: int, since: datetime = BEGINNING, without: AbstractSet[str] = frozenset()
    ) -> Sequence[str]:
        """Return persons, but these, with a grant that has run out, after `since`, and whose end is not written."""

    async def unfinished(
        self, begun_before: datetime, *, limit: int, without: AbstractSet[str] = frozenset()
    ) -> Sequence[str]:
        """Return persons, but these, with a change that was begun before a time and not finished, the oldest first."""


class NoticeStore(Protocol):
    """Notices, policies, and records of notices shown."""

    async def publish(self, notices: Sequence[Notice], *, now: datetime) -> None:
        """Publish notices; those that are published already keep their time.

        Raises:
            NoticeInvalid: an edition was published with other words before.
        """

    async def record_policy(self, policy: Policy, *, now: datetime) -> None:
        """Keep a policy, so that the digests in events can always be explained."""

    async def notice(self, digest: str) -> PublishedNotice | None:
        """Return a published notice."""

    async def current(self) -> PublishedNotice:
        """Return the notice of the newest edition."""

    async def notices(self, *, below_edition: str | None, limit: int) -> Sequence[PublishedNotice]:
        """Return published notices of editions under `below_edition`, newest first."""

    async def record_serving(
        self, subject: str, serving: NoticeServing, request: Request, *, limit: DailyLimit
    ) -> NoticeServing:
        """Record that a notice was shown, or return what the same request recorded before.

        Raises:
            RequestIdReused: another request used this id.
            LimitReached: too many were recorded in the 24 hours before this one.
        """

    async def serving(self, subject: str, serving_id: UUID) -> NoticeServing | None:
        """Return a record of this person."""


class PurposeKeys(Protocol):
    """Keys of purposes, as `services.keyring.purpose_keys` has them of retention."""

    async def grant(
        self,
        *,
        subject: str,
        purpose: str,
        revision: int,
        expire_time: datetime,
        decide_time: datetime,
        reach_back_time: datetime | None = None,
    ) -> int:
        """Create the key of a purpose, or prolongs the one that exists; repeating it changes nothing.

        Raises:
            GrantStale: a later decision about this purpose is known; metadata `current` has its revision.
            PersonErased: the person was erased after they decided.
            DependencyUnavailable: the key service does not answer; the key may exist or not.
        """

    async def destroy(self, *, subject: str, purposes: Sequence[str], revision: int) -> int:
        """Destroy keys, and return the highest revision of the person's decisions that is known, this one included.

        Keys granted at a later revision stay; what does not exist is no error.

        Raises:
            DependencyUnavailable: the key service does not answer; the keys may be gone or not.
        """

    async def lives(self, *, subject: str, purpose: str) -> bool:
        """Tell whether the key of a purpose exists and can be opened.

        Raises:
            DependencyUnavailable: the key service does not answer.
        """


class ChangeFeed(Protocol):
    """News that consent may have changed."""

    def waiting(self, subject: str) -> AbstractContextManager[asyncio.Event]:
        """Give an event that is set at each change of a person; it is the waiter who clears it.

        Changes of the same moment are one, and none after the start of the block is missed.
        """
