"""Ports of erasures: orders to delete, erasures, deletions of accounts and the requests that asked for them."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.retention.domain.account import AccountDeletion
from services.retention.domain.erasure import Erasure, StorePurge
from services.retention.domain.orders import PurgeOrder
from services.retention.domain.request import AnsweredRequest


class Orders(Protocol):
    """Purge orders and what was reported."""

    async def add(self, orders: Sequence[PurgeOrder]) -> None:
        """Store orders, and the events that announce those to other services."""

    async def outstanding(self, service: str, after: int, limit: int) -> list[tuple[int, PurgeOrder]]:
        """Return outstanding orders of a service by number, the oldest first."""

    async def open_ids(self, service: str, limit: int, without: AbstractSet[str]) -> list[tuple[UUID, str]]:
        """Return the ids of outstanding orders of a service, but these, the oldest first, with their persons."""

    async def hold_open(self, order: UUID) -> PurgeOrder | None:
        """Return an order that is outstanding and that no other transaction holds, and hold it."""

    async def hold(self, order: UUID, service: str) -> PurgeOrder | None:
        """Return an order of a service and holds it until the transaction ends."""

    async def report(self, order: UUID, purged: Mapping[str, int]) -> None:
        """Add to what stores deleted for an order."""

    async def complete(self, order: UUID, now: datetime) -> None:
        """Record that an order was carried out."""

    async def reports(self, mandates: Collection[UUID]) -> Mapping[UUID, list[StorePurge]]:
        """Return what the stores deleted for erasures and deletions of accounts, by their ids.

        For an order without a report, its service with an empty store.
        """


class Erasures(Protocol):
    """Erasures, and persons that were erased."""

    async def add(self, erasure: Erasure) -> None:
        """Store an erasure."""

    async def of_media(self, subject: str, media: UUID) -> Erasure | None:
        """Return the erasure of a media."""

    async def get(self, subject: str, erasure: UUID) -> Erasure | None:
        """Return an erasure of a person."""

    async def page(self, subject: str, before: int, limit: int) -> list[tuple[int, Erasure]]:
        """Return erasures of a person by number, the newest first."""

    async def finish(self, erasure: UUID, now: datetime) -> None:
        """Record that an erasure is purged if no order of it is outstanding; one at a time per erasure."""

    async def subject_erased_at(self, subject: str) -> datetime | None:
        """Return when everything of a person was erased last."""

    async def mark_subject(self, subject: str, now: datetime) -> None:
        """Remembers that everything of a person was erased."""


class AccountDeletions(Protocol):
    """Deletions of accounts."""

    async def add(self, deletion: AccountDeletion) -> None:
        """Store a deletion."""

    async def get(self, subject: str, deletion: UUID) -> AccountDeletion | None:
        """Return a deletion of a person."""

    async def scheduled(self, subject: str) -> AccountDeletion | None:
        """Return the deletion of a person that has not begun and is not cancelled."""

    async def due(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[AccountDeletion]:
        """Return scheduled deletions, but these, whose time has come, the oldest first."""

    async def cancel(self, deletion: UUID, now: datetime) -> None:
        """Record that a deletion was cancelled."""

    async def begin(self, deletion: UUID, now: datetime) -> None:
        """Record that a deletion has begun: the keys are destroyed."""

    async def finish(self, deletion: UUID, now: datetime) -> None:
        """Record that a deletion is complete if no order of it is outstanding; one at a time per deletion.

        What is written down here of the person's erasures and requests until it began goes with it.
        """


class Requests(Protocol):
    """Requests that were answered."""

    async def find(self, subject: str, request_id: UUID) -> AnsweredRequest | None:
        """Return a request of a person."""

    async def add(self, subject: str, request: AnsweredRequest, now: datetime) -> None:
        """Store a request."""
