"""Records of the change feed of suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.chassis.changes import records as change_records
from services.chassis.database import Connection
from services.chassis.failed_work.departure import forget_person


class ChangeRecords:
    """One statement in each method, on the connection of the running transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def changed(self, subject: str, suggestion_ids: Sequence[UUID]) -> None:
        """Say that suggestions were made, or changed in what their owner sees."""
        await change_records.record_changed(self._connection, subject, _names(suggestion_ids))

    async def deleted(self, subject: str, suggestion_ids: Sequence[UUID]) -> None:
        """Say that suggestions are gone."""
        await change_records.record_deleted(self._connection, subject, _names(suggestion_ids))

    async def forget(self, subject: str, until: datetime) -> None:
        """Delete what feed and outbox know about a person whose account goes, of the outbox until a time."""
        await forget_person(self._connection, subject, until)


def _names(suggestion_ids: Sequence[UUID]) -> list[str]:
    return [f"suggestions/{suggestion_id}" for suggestion_id in suggestion_ids]
