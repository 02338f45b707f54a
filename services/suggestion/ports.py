"""Ports: what the use cases need from outside, as protocols and plain data."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.chassis.messaging.events import OutgoingEvent
from services.suggestion.domain.photos import Photo
from services.suggestion.domain.suggestions import Decision, Standing, State


@dataclass(frozen=True)
class AnalyzedPhoto:
    """A photo as the analysis service knows it, and when it is gone."""

    photo: Photo
    delete_time: datetime


@dataclass(frozen=True)
class SuggestionRow:
    """A row of `suggestion`; `sealed` is a record sealed under the data key, which is one of the purpose.

    `offer_time` is since when it is offered: when it was made, or when its dismissal was taken back.
    """

    id: UUID
    subject: str
    state: str
    state_before_dismissal: str | None
    purpose: str
    data_key_id: UUID
    purpose_revision: int
    sealed: bytes
    create_time: datetime
    update_time: datetime
    offer_time: datetime
    delete_time: datetime

    @property
    def standing(self) -> Standing:
        """Where it stands, and where it stood before it was dismissed."""
        before = self.state_before_dismissal
        return Standing(State(self.state), State(before) if before else None)


@dataclass(frozen=True)
class RenditionRow:
    """A row of `rendition`: sides in pixels, size of the unsealed picture in bytes."""

    suggestion_id: UUID
    number: int
    data_key_id: UUID
    object: str
    layout: str
    content_type: str
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True)
class DecisionRow:
    """A row of `decision`."""

    suggestion_id: UUID
    decision: str


class Analysis(Protocol):
    """What was found out about a person's photos."""

    async def photos(self, subject: str) -> list[AnalyzedPhoto]:
        """Return every photo that is analyzed.

        Raises:
            PurposeNotGranted: the person has not granted CLOUD_PROCESSING.
            DependencyUnavailable: the service does not answer.
        """

    async def picture(self, subject: str, media: str) -> bytes | None:
        """Return a reduced upright JPEG; nothing if the photo has gone meanwhile."""


class Suggestions(Protocol):
    """Suggestions and their renditions."""

    async def of_person(self, subject: str) -> list[SuggestionRow]:
        """Return everything kept for a person, dismissed and expired suggestions included."""
        ...

    async def find(self, subject: str, suggestion_id: UUID) -> SuggestionRow | None:
        """Return one of a person's suggestions."""
        ...

    async def renditions(self, suggestion_ids: Sequence[UUID]) -> list[RenditionRow]:
        """Return the renditions of suggestions, in their order."""
        ...

    async def add(self, row: SuggestionRow) -> bool:
        """Write a suggestion unless its key was destroyed meanwhile; return whether it was written."""
        ...

    async def add_rendition(self, row: RenditionRow) -> None:
        """Write a rendition of a suggestion."""
        ...

    async def move(self, suggestion_id: UUID, standing: Standing, now: datetime) -> None:
        """Change where a suggestion stands."""
        ...

    async def offer_again(self, suggestion_id: UUID, now: datetime) -> None:
        """Count the time for which a suggestion is offered from now on."""
        ...

    async def expire(self, offered_before: datetime, now: datetime) -> list[tuple[str, UUID]]:
        """Expire suggestions without a decision; return whose they are, and which."""
        ...

    async def delete(self, suggestion_ids: Sequence[UUID]) -> int:
        """Delete suggestions with their renditions' rows; return how many suggestions."""
        ...

    async def unknown_objects(self, names: Sequence[str]) -> set[str]:
        """Return those of the objects that no row names."""
        ...


class Decisions(Protocol):
    """Decisions carried out, so that a repeated request is harmless."""

    async def find(self, subject: str, request_id: UUID) -> DecisionRow | None:
        """Return what a request decided, if it was carried out."""
        ...

    async def add(self, subject: str, request_id: UUID, suggestion_id: UUID, decision: Decision, now: datetime) -> None:
        """Remember a request."""
        ...

    async def delete(self, subject: str, until: datetime) -> int:
        """Delete a person's requests up to a time; return how many."""
        ...

    async def forget(self, before: datetime) -> int:
        """Delete requests from before a time, of whichever person; return how many."""
        ...


@dataclass(frozen=True)
class Due:
    """A person whose suggestions are to be made.

    Attributes:
        subject: The person's pseudonym.
        upload_time: When the photo was uploaded that has waited longest for them; None if no new one has come.
        trace: What the work goes on with, as a W3C traceparent; empty for none.
    """

    subject: str
    upload_time: datetime | None = None
    trace: str = ""


class Refreshes(Protocol):
    """The queue of persons whose suggestions are due to be made."""

    async def mark_due(self, subject: str, now: datetime, upload_time: datetime | None = None) -> None:
        """Remember that a person's photos were analyzed, and when a new one was uploaded, or that some have gone."""
        ...

    async def due(
        self, now: datetime, quiet: timedelta, patience: timedelta, without: AbstractSet[str] = frozenset()
    ) -> list[Due]:
        """Return the persons, but these, whose photos have stopped coming, or have been coming for too long."""
        ...

    async def waits(self, subject: str) -> bool:
        """Tell whether a person is in the queue."""
        ...

    async def count(self, now: datetime, quiet: timedelta, patience: timedelta, limit: int) -> int:
        """Return how many persons are due and not set aside, counted up to a number."""
        ...

    async def done(self, subject: str, until: datetime) -> None:
        """Forget that a person is due, unless more was analyzed after a time."""
        ...

    async def delete(self, subject: str) -> int:
        """Forget that a person is due, whatever came since; return how many rows that were."""
        ...


class Purges(Protocol):
    """What purge orders need: what they hit, and what keeps it from coming back."""

    async def sealed_under(self, data_key_ids: Sequence[str]) -> list[UUID]:
        """Return the suggestions of which any part is sealed under one of the keys."""
        ...

    async def made_under(self, subject: str, purposes: Sequence[str], revision: int) -> list[UUID]:
        """Return a person's suggestions sealed for one of the purposes under a revision or an older one."""
        ...

    async def raise_fence(self, subject: str, purpose: str, revision: int) -> None:
        """Refuse results made under a revision or an older one from now on."""
        ...

    async def tombstone_keys(self, data_key_ids: Sequence[str], now: datetime) -> None:
        """Refuse what is sealed under these keys from now on."""
        ...

    async def forget_tombstones(self, before: datetime) -> int:
        """Delete tombstones from before a time; return how many."""
        ...


class ChangeRecords(Protocol):
    """What the change feed of a person is told; the last thing that a transaction does."""

    async def changed(self, subject: str, suggestion_ids: Sequence[UUID]) -> None:
        """Say that suggestions were made, or changed in what their owner sees."""
        ...

    async def deleted(self, subject: str, suggestion_ids: Sequence[UUID]) -> None:
        """Say that suggestions are gone."""
        ...

    async def forget(self, subject: str, until: datetime) -> None:
        """Delete all that the feed knows about a person whose account goes, and their events from until a time."""
        ...


class Store(Protocol):
    """The service's tables in one transaction."""

    @property
    def suggestions(self) -> Suggestions:
        """Suggestions and their renditions."""

    @property
    def decisions(self) -> Decisions:
        """Decisions carried out."""

    @property
    def refreshes(self) -> Refreshes:
        """The queue of persons whose suggestions are due."""

    @property
    def purges(self) -> Purges:
        """What purge orders need."""

    @property
    def changes(self) -> ChangeRecords:
        """What the change feed is told."""

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
        """Run the block as the only one that makes suggestions for this person."""
        ...
