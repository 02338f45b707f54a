"""Destructions told to every process of this service: LISTEN and NOTIFY, in the order of the commits."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import psycopg

from services.chassis.database import Connection
from services.chassis.errors import DependencyUnavailable
from services.retention.domain import Purpose, Revocation

CHANNEL = "revocation"
HEARTBEAT_SECONDS = 1.0
_SILENCE_SECONDS = 3.0
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
    """Yields what is destroyed; an empty item first, and at least one each second.

    The heartbeat goes to the database and comes back through the same queue as the destructions, so it proves that
    all that was committed before it has been told.

    Raises:
        DependencyUnavailable: the database does not answer.
    """
    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            yield ()
            while True:
                yield await _hear(connection)
    except (psycopg.OperationalError, TimeoutError) as error:
        raise DependencyUnavailable("the database does not say what is destroyed: call again") from error


async def _hear(connection: Connection) -> Sequence[Revocation]:
    """Returns what was told within a second; if nothing was, asks for a sign of life."""
    async with asyncio.timeout(_SILENCE_SECONDS):
        notes = [note.payload async for note in connection.notifies(timeout=HEARTBEAT_SECONDS, stop_after=1)]
        if not notes:
            await connection.execute(f"NOTIFY {CHANNEL}")
            notes = [note.payload async for note in connection.notifies(stop_after=1)]
    return [_revocation(note) for note in notes if note]


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
