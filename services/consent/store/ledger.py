"""Ledger: one person's consent in PostgreSQL, a connection for each transaction and none between them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from services.chassis.database import Connection, subject_lock
from services.chassis.messaging import outbox
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

Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]
"""Begins a transaction."""


class _Rows:
    """Rows of all persons, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.persons = PersonRows(connection)
        self.events = EventRows(connection)
        self.servings = ServingRows(connection)


class PostgresLedger:
    """Implements `ports.Ledger`."""

    def __init__(self, begin: Begin, subject: str, keys: RecordKeys) -> None:
        self._begin = begin
        self._subject = subject
        self._keys = keys

    async def history(self) -> History:
        """Return what is written down."""
        async with self._transaction() as rows:
            person = await rows.persons.person(self._subject)
            if person is None:
                return History()
            key = self._keys.unwrap(person.wrapped_key, subject=self._subject)
            latest = await rows.events.latest(self._subject)
            sealed = await rows.persons.pending(self._subject)
        pending = None if sealed is None else opened_change(sealed, subject=self._subject, key=key)
        return History(person.revision, tuple(event(row, key) for row in latest), pending)

    async def recorded_result(self, request_id: UUID) -> RecordedResult | None:
        """Return what a request was answered, if it was."""
        async with self._transaction() as rows:
            request = await rows.persons.request(self._subject, request_id)
            if request is None:
                if await rows.servings.of_request(self._subject, request_id) is not None:
                    raise RequestIdReused.of(request_id)
                return None
            key = await self._key(rows)
            made = await rows.events.of_request(self._subject, request_id)
            latest = await rows.events.latest(self._subject, up_to=request.revision)
        return RecordedResult(
            request=Request(request.request_id, request.sha256),
            answer_time=request.answer_time,
            events=tuple(event(row, key) for row in made),
            latest=tuple(event(row, key) for row in latest),
        )

    async def answer_times(self, *, since: datetime, limit: int) -> Sequence[datetime]:
        """Return when requests were answered after a time, newest first."""
        async with self._transaction() as rows:
            return await rows.persons.answer_times(self._subject, since, limit)

    async def begin(self, change: Change) -> None:
        """Write a change down as pending."""
        async with self._transaction() as rows:
            await rows.persons.add_person(self._subject, revision=0, wrapped_key=self._keys.make(self._subject))
            await rows.persons.raise_revision(self._subject, change.revision)
            sealed = sealed_change(change, subject=self._subject, key=await self._key(rows))
            await rows.persons.put_pending(self._subject, begin_time=change.begin_time, sealed=sealed)
            await tell_watchers(rows.connection, self._subject)

    async def finish(self, change: Change) -> None:
        """Make a change true."""
        async with self._transaction() as rows:
            key = await self._key(rows)
            await rows.persons.raise_revision(self._subject, change.revision)
            for made in change.events:
                await rows.events.add(self._subject, event_row(made, key))
            if change.request is not None:
                await rows.persons.add_request(self._subject, _request_row(change.request, change))
            await rows.persons.delete_pending(self._subject)
            if (announced := announcement(self._subject, change)) is not None:
                await outbox.append(rows.connection, announced)
            await tell_watchers(rows.connection, self._subject)

    async def purge(self, erase_time: datetime) -> Mapping[str, int]:
        """Delete what was written down until then; what came later is sealed under a new key."""
        async with self._transaction() as rows:
            deleted = await purge(rows.connection, self._subject, self._keys, erase_time)
            await tell_watchers(rows.connection, self._subject)
        return deleted

    async def _key(self, rows: _Rows) -> RecordKey:
        return self._keys.unwrap(await rows.persons.wrapped_key(self._subject), subject=self._subject)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[_Rows]:
        async with self._begin() as connection, subject_lock(connection, self._subject):
            yield _Rows(connection)


def _request_row(request: Request, change: Change) -> RequestRow:
    return RequestRow(request.id, request.sha256, change.revision, change.begin_time)
