"""What the use cases need from outside, as protocols and plain data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.chassis.events import OutgoingEvent
from services.suggestion.domain import Act, Photo, State
from services.suggestion.rows import ActRow, RenditionRow, SuggestionRow


@dataclass(frozen=True)
class Understood:
    """A photo as the analysis service knows it, and when it is gone."""

    photo: Photo
    delete_time: datetime


class Analysis(Protocol):
    """What was understood of a person's photos."""

    async def photos(self, subject: str) -> list[Understood]:
        """Return every photo that is understood.

        Raises:
            PurposeNotGranted: the person has not granted CLOUD_PROCESSING.
            DependencyUnavailable: the service does not answer.
        """

    async def picture(self, subject: str, media: str) -> bytes | None:
        """Return a reduced upright JPEG; nothing if the photo has gone meanwhile."""


class Store(Protocol):
    """The service's tables in one transaction."""

    async def suggestions(self, subject: str) -> list[SuggestionRow]:
        """Return everything kept for a person, dismissed and expired ideas included."""
        ...

    async def suggestion(self, subject: str, suggestion_id: UUID) -> SuggestionRow | None:
        """Return one of a person's ideas."""
        ...

    async def renditions(self, suggestion_ids: Sequence[UUID]) -> list[RenditionRow]:
        """Return the pictures of ideas, in their order."""
        ...

    async def add_suggestion(self, row: SuggestionRow) -> bool:
        """Write an idea unless its key was destroyed meanwhile; return whether it was written."""
        ...

    async def add_rendition(self, row: RenditionRow) -> None:
        """Write a picture of an idea."""
        ...

    async def set_state(self, suggestion_id: UUID, state: State, now: datetime) -> None:
        """Move an idea on."""
        ...

    async def expire(self, older_than: datetime, now: datetime) -> list[str]:
        """Expire ideas that nobody did anything about; return whose they are, once for each idea."""
        ...

    async def delete_suggestions(self, suggestion_ids: Sequence[UUID]) -> int:
        """Delete ideas with their pictures' rows; return how many ideas."""
        ...

    async def sealed_under(self, data_key_ids: Sequence[str]) -> list[UUID]:
        """Return the ideas of which any part is sealed under one of the keys."""
        ...

    async def made_under(self, subject: str, purposes: Sequence[str], revision: int) -> list[UUID]:
        """Return a person's ideas sealed for one of the purposes under a revision or an older one."""
        ...

    async def raise_fence(self, subject: str, purpose: str, revision: int) -> None:
        """Refuse results made under a revision or an older one from now on."""
        ...

    async def bury_keys(self, data_key_ids: Sequence[str], now: datetime) -> None:
        """Refuse what is sealed under these keys from now on."""
        ...

    async def forget_tombstones(self, before: datetime) -> int:
        """Delete tombstones from before a time; return how many."""
        ...

    async def act(self, subject: str, request_id: UUID) -> ActRow | None:
        """Return what a request did, if it was carried out."""
        ...

    async def add_act(self, subject: str, request_id: UUID, suggestion_id: UUID, act: Act, now: datetime) -> None:
        """Remember a request."""
        ...

    async def delete_acts(self, subject: str, until: datetime) -> int:
        """Forget a person's requests up to a time."""
        ...

    async def forget_acts(self, before: datetime) -> int:
        """Forget requests that nobody repeats any more; return how many."""
        ...

    async def mark_due(self, subject: str, now: datetime) -> None:
        """Remember that a person's photos were understood, or that some have gone."""
        ...

    async def due(self, now: datetime, quiet: timedelta, patience: timedelta) -> list[str]:
        """Return the persons whose photos have stopped coming, or have been coming for too long."""
        ...

    async def done(self, subject: str, until: datetime) -> None:
        """Forget that a person is due, unless more was understood after a time."""
        ...

    async def delete_due(self, subject: str) -> int:
        """Forget that a person is due, whatever came since."""
        ...

    async def object_names(self) -> set[str]:
        """Return the names of all objects that rows name."""
        ...

    async def notify(self, subject: str) -> None:
        """Tell whoever watches this person's ideas that they changed, once the transaction is committed."""
        ...

    async def first_time(self, consumer: str, event_id: str) -> bool:
        """Return whether an event has had no effect yet, and remember it."""
        ...

    async def publish(self, event: OutgoingEvent) -> None:
        """Publish an event once the transaction is committed."""
        ...


class Database(Protocol):
    """Transactions on the tables."""

    def transaction(self) -> AbstractAsyncContextManager[Store]:
        """Run the block in one transaction."""
        ...

    def locked(self, subject: str) -> AbstractAsyncContextManager[Store]:
        """Run the block in one transaction, alone on this person's rows."""
        ...

    def turn(self, subject: str) -> AbstractAsyncContextManager[None]:
        """Run the block as the only one that makes ideas for this person."""
        ...
