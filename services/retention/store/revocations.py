"""Destructions told to every process of this service: LISTEN and NOTIFY, in the order of the commits."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from services.chassis import listener
from services.chassis.database import Connection
from services.retention.domain.keys import Purpose
from services.retention.domain.revocation import Revocation

CHANNEL = "revocation"
_HEARTBEAT_SECONDS = 1.0
_IDS_IN_NOTE = 150
"""A notification has at most 8000 bytes."""


async def notify(connection: Connection, revocations: Sequence[Revocation]) -> None:
    """Tells all processes when the transaction commits."""
    notes = [note for revocation in revocations for note in _notes(revocation)]
    if notes:
        await connection.execute(
            "SELECT pg_notify(%(channel)s, note) FROM unnest(%(notes)s::text[]) AS note",
            {"channel": CHANNEL, "notes": notes},
        )


async def listen(url: str) -> AsyncIterator[Sequence[Revocation]]:
    """Yield what is destroyed; an empty item first, and at least one each second (`listener.listen`).

    Raises:
        DependencyUnavailable: the database does not answer.
    """
    async with aclosing(listener.listen(url, CHANNEL, heartbeat_seconds=_HEARTBEAT_SECONDS)) as told:
        async for notifications in told:
            yield [_revocation(notification.payload) for notification in notifications]


def _notes(revocation: Revocation) -> list[str]:
    ids = revocation.data_key_ids
    if not ids:
        return [_note(revocation, ids)]
    return [_note(revocation, ids[start : start + _IDS_IN_NOTE]) for start in range(0, len(ids), _IDS_IN_NOTE)]


def _note(revocation: Revocation, ids: Sequence[str]) -> str:
    return json.dumps([revocation.subject, revocation.purposes, ids, revocation.subject_erased])


def _revocation(note: str) -> Revocation:
    subject, purposes, ids, subject_erased = json.loads(note)
    return Revocation(subject, tuple(map(Purpose, purposes)), tuple(ids), subject_erased)
