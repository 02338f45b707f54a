"""Ledger: one person's consent in PostgreSQL, on the connection that holds their turn."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from services.chassis import outbox
from services.chassis.database import Connection, subject_lock
from services.consent.domain.change import Change, Request
from services.consent.domain.history import History, RecordedResult
from services.consent.errors import RequestIdReused
from services.consent.store.announcement import announcement
from services.consent.store.change_feed import tell_watchers
from services.consent.store.events import EventRows
from services.consent.store.persons import PersonRows, RequestRow
from services.consent.store.purge import purge
from services.consent.store.record_keys import RecordKey, RecordKeys
from services.consent.store.records import change as opened_change
from services.consent.store.records import event, event_row, sealed_change
from services.consent.store.servings import ServingRows


class PostgresLedger:
    """Implements `ports.Ledger`."""

    def __init__(self, connection: Connection, subject: str, keys: RecordKeys) -> None:
        self._connection = connection
        self._subject = subject
        self._keys = keys
        self._persons = PersonRows(connection)
        self._events = EventRows(connection)
        self._servings = ServingRows(connection)

    async def history(self) -> History:
        """Return what is written down."""
        async with self._transaction():
            person = await self._persons.person(self._subject)
            if person is None:
                return History()
            key = self._keys.unwrap(person.wrapped_key, subject=self._subject)
            latest = await self._events.latest(self._subject)
            sealed = await self._persons.pending(self._subject)
        pending = None if sealed is None else opened_change(sealed, subject=self._subject, key=key)
        return History(person.revision, tuple(event(row, key) for row in latest), pending)

    async def recorded_result(self, request_id: UUID) -> RecordedResult | None:
        """Return what a request was answered, if it was."""
        async with self._transaction():
            request = await self._persons.request(self._subject, request_id)
            if request is None:
                if await self._servings.of_request(self._subject, request_id) is not None:
                    raise RequestIdReused.of(request_id)
                return None
            key = await self._key()
            made = await self._events.of_request(self._subject, request_id)
            latest = await self._events.latest(self._subject, up_to=request.revision)
        return RecordedResult(
            request=Request(request.request_id, request.sha256),
            answer_time=request.answer_time,
            events=tuple(event(row, key) for row in made),
            latest=tuple(event(row, key) for row in latest),
        )

    async def begin(self, change: Change) -> None:
        """Write a change down as pending."""
        async with self._transaction():
            await self._persons.add_person(self._subject, revision=0, wrapped_key=self._keys.make(self._subject))
            await self._persons.raise_revision(self._subject, change.revision)
            sealed = sealed_change(change, subject=self._subject, key=await self._key())
            await self._persons.put_pending(self._subject, begin_time=change.begin_time, sealed=sealed)
            await tell_watchers(self._connection, self._subject)

    async def finish(self, change: Change) -> None:
        """Make a change true."""
        async with self._transaction():
            key = await self._key()
            await self._persons.raise_revision(self._subject, change.revision)
            for made in change.events:
                await self._events.add(self._subject, event_row(made, key))
            if change.request is not None:
                await self._persons.add_request(self._subject, _request_row(change.request, change))
            await self._persons.delete_pending(self._subject)
            if (announced := announcement(self._subject, change)) is not None:
                await outbox.append(self._connection, announced)
            await tell_watchers(self._connection, self._subject)

    async def purge(self, erase_time: datetime) -> Mapping[str, int]:
        """Delete what was written down until then; what came later is sealed under a new key."""
        async with self._transaction():
            deleted = await purge(self._connection, self._subject, self._keys, erase_time)
            await tell_watchers(self._connection, self._subject)
        return deleted

    async def _key(self) -> RecordKey:
        return self._keys.unwrap(await self._persons.wrapped_key(self._subject), subject=self._subject)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        async with subject_lock(self._connection, self._subject):
            yield


def _request_row(request: Request, change: Change) -> RequestRow:
    return RequestRow(request.id, request.sha256, change.revision, change.begin_time)
