"""Consent of all persons, in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from services.chassis.database import Pool, subject_lock
from services.chassis.person_leases import ENDLESS, PersonLeases
from services.chassis.seal import SealBroken
from services.consent.domain.consent import ConsentEvent
from services.consent.domain.history import History, RecordedResult
from services.consent.errors import RecordKeyInvalid
from services.consent.ports import BEGINNING
from services.consent.store.events import EventRows
from services.consent.store.ledger import PostgresLedger
from services.consent.store.persons import PersonRows
from services.consent.store.record_keys import RecordKeys
from services.consent.store.records import event

TURN_SECONDS = 5.0
PATIENCE = timedelta(seconds=2)
"""A withdrawal takes the turn of other work on the person that has had it for longer: it waits for the key service."""


class PostgresConsentStore:
    """Implements `ports.ConsentStore`."""

    def __init__(self, pool: Pool, keys: RecordKeys, turn_seconds: float = TURN_SECONDS) -> None:
        """Begin.

        Args:
            pool: Connections to the database.
            keys: Persons' record keys.
            turn_seconds: How long one change of a person's consent waits for another.
        """
        self._pool = pool
        self._keys = keys
        self._turns = PersonLeases(pool, turn_seconds)

    async def check_key(self) -> None:
        """Make sure that the service's key is the one that these records are wrapped under.

        Raises:
            RecordKeyInvalid: it is another one.
        """
        async with self._pool.connection() as connection:
            found = await PersonRows(connection).any_person()
        if found is None:
            return
        subject, wrapped = found
        try:
            self._keys.unwrap(wrapped, subject=subject)
        except SealBroken as error:
            raise RecordKeyInvalid.of_other_records() from error

    @asynccontextmanager
    async def locked(self, subject: str, *, overtakes: bool = False) -> AsyncIterator[PostgresLedger]:
        """Keep every other call from changing this person's consent for the block."""
        async with self._turns.of(subject, patience=PATIENCE if overtakes else ENDLESS) as turn:
            yield PostgresLedger(turn.transaction, subject, self._keys)

    async def history(self, subject: str) -> History:
        """Return what is written down."""
        return await self._unlocked(subject).history()

    async def recorded_result(self, subject: str, request_id: UUID) -> RecordedResult | None:
        """Return what a request was answered, if it was."""
        return await self._unlocked(subject).recorded_result(request_id)

    async def events(self, subject: str, *, below: int | None, limit: int) -> Sequence[ConsentEvent]:
        """Return a person's events, newest first."""
        async with self._pool.connection() as connection, subject_lock(connection, subject):
            person = await PersonRows(connection).person(subject)
            if person is None:
                return ()
            rows = await EventRows(connection).page(subject, below=below, limit=limit)
        key = self._keys.unwrap(person.wrapped_key, subject=subject)
        return [event(row, key) for row in rows]

    async def due(
        self, now: datetime, *, limit: int, since: datetime = BEGINNING, without: AbstractSet[str] = frozenset()
    ) -> Sequence[str]:
        """Return persons, but these, with a grant that has run out, after `since`, and whose end is not written."""
        async with self._pool.connection() as connection:
            return await EventRows(connection).due(now, limit=limit, since=since, without=without)

    async def unfinished(
        self, begun_before: datetime, *, limit: int, without: AbstractSet[str] = frozenset()
    ) -> Sequence[str]:
        """Return persons, but these, with a change that was begun before a time and not finished."""
        async with self._pool.connection() as connection:
            return await PersonRows(connection).unfinished(begun_before, limit=limit, without=without)

    def _unlocked(self, subject: str) -> PostgresLedger:
        return PostgresLedger(self._pool.connection, subject, self._keys)
