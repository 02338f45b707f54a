"""Everybody's consent in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from services.chassis.database import Pool, subject_lock, subject_turn
from services.chassis.seal import SealBroken
from services.consent.domain import ConsentEvent
from services.consent.ports import GivenAnswer, History
from services.consent.record_keys import RecordKeyInvalid, RecordKeys
from services.consent.store.events import EventRows
from services.consent.store.ledger import PostgresLedger
from services.consent.store.persons import PersonRows
from services.consent.store.records import event


class PostgresConsentStore:
    """Implements `ports.ConsentStore`."""

    def __init__(self, pool: Pool, keys: RecordKeys) -> None:
        self._pool = pool
        self._keys = keys

    async def check_key(self) -> None:
        """Makes sure that the service's key is the one that these records are wrapped under.

        Raises:
            RecordKeyInvalid: it is another one.
        """
        async with self._pool.connection() as connection:
            somebody = await PersonRows(connection).anybody()
        if somebody is None:
            return
        subject, wrapped = somebody
        try:
            self._keys.unwrap(wrapped, subject=subject)
        except SealBroken as error:
            raise RecordKeyInvalid(
                "the record key does not open the records of this database: put the file back that made them"
            ) from error

    @asynccontextmanager
    async def locked(self, subject: str) -> AsyncIterator[PostgresLedger]:
        """Keeps everybody else from changing this person's consent for the block."""
        async with subject_turn(self._pool, subject) as connection:
            yield PostgresLedger(connection, subject, self._keys)

    async def history(self, subject: str) -> History:
        """Returns what is written down."""
        async with self._pool.connection() as connection:
            return await PostgresLedger(connection, subject, self._keys).history()

    async def given_answer(self, subject: str, request_id: UUID) -> GivenAnswer | None:
        """Returns what a request was answered, if it was."""
        async with self._pool.connection() as connection:
            return await PostgresLedger(connection, subject, self._keys).given_answer(request_id)

    async def events(self, subject: str, *, below: int | None, limit: int) -> Sequence[ConsentEvent]:
        """Returns a person's events, newest first."""
        async with self._pool.connection() as connection, subject_lock(connection, subject):
            person = await PersonRows(connection).person(subject)
            if person is None:
                return ()
            rows = await EventRows(connection).page(subject, below=below, limit=limit)
        key = self._keys.unwrap(person.wrapped_key, subject=subject)
        return [event(row, key) for row in rows]

    async def due(self, now: datetime, *, limit: int) -> Sequence[str]:
        """Returns persons with a grant that has run out and whose end is not written."""
        async with self._pool.connection() as connection:
            return await EventRows(connection).due(now, limit=limit)

    async def unfinished(self, begun_before: datetime, *, limit: int) -> Sequence[str]:
        """Returns persons with a change that was begun before a time and not finished."""
        async with self._pool.connection() as connection:
            return await PersonRows(connection).unfinished(begun_before, limit=limit)
