"""Transactions on the service's tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.chassis.database import Connection, Pool, fenced, subject_lock
from services.chassis.messaging import outbox
from services.chassis.messaging.consumer import first_time
from services.chassis.messaging.events import OutgoingEvent
from services.chassis.person_leases import PersonLeases
from services.suggestion.store.changes import ChangeRecords
from services.suggestion.store.decisions import DecisionTable
from services.suggestion.store.purge import PurgeTables
from services.suggestion.store.refreshes import RefreshTable
from services.suggestion.store.suggestions import SuggestionTables

TURN_SECONDS = 0.0
"""How long a refresh waits for another one of the same person: who works on them makes what there is to make."""


class Store:
    """The tables, on one connection; the caller owns the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.suggestions = SuggestionTables(connection)
        self.decisions = DecisionTable(connection)
        self.refreshes = RefreshTable(connection)
        self.purges = PurgeTables(connection)
        self.changes = ChangeRecords(connection)

    async def first_time(self, consumer: str, event_id: str) -> bool:
        """Return whether an event has had no effect yet, and remember it."""
        return await first_time(self._connection, consumer, event_id)

    async def publish(self, event: OutgoingEvent) -> None:
        """Publish an event once the transaction is committed."""
        await outbox.append(self._connection, event)


class Database:
    """Transactions on the tables."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turns = PersonLeases(pool, TURN_SECONDS)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Store]:
        """Run the block in one transaction."""
        async with self._pool.connection() as connection:
            yield Store(connection)

    @asynccontextmanager
    async def locked(self, subject: str) -> AsyncIterator[Store]:
        """Run the block in one transaction, alone on this person's rows."""
        async with self._pool.connection() as connection, subject_lock(connection, subject):
            yield Store(connection)

    @asynccontextmanager
    async def turn(self, subject: str) -> AsyncIterator[None]:
        """Run the block as the only one that makes suggestions for this person; who stood still stores nothing."""
        async with self._turns.of(subject) as turn:
            with fenced(turn.check):
                yield
