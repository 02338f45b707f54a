"""Destructions told to every process of this service: NOTIFY, in the order of the commits."""

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.chassis.database import Connection
from services.retention.domain.keys import Purpose
from services.retention.domain.revocation import Revocation

REVOCATION: Final = "revocation"
"""Channel of what is destroyed."""
DESTRUCTION: Final = "destruction"
"""Channel of destructions of which all was told."""
_IDS_IN_NOTE = 150
"""A notification has at most 8000 bytes."""


async def notify(connection: Connection, revocations: Sequence[Revocation]) -> None:
    """Tells all processes when the transaction commits."""
    notes = [note for revocation in revocations for note in _notes(revocation)]
    if notes:
        await connection.execute(
            "SELECT pg_notify(%(channel)s, note) FROM unnest(%(notes)s::text[]) AS note",
            {"channel": REVOCATION, "notes": notes},
        )


async def notify_end(connection: Connection, destruction: UUID) -> None:
    """Tells all processes when the transaction commits, after all that it told before."""
    await connection.execute(
        "SELECT pg_notify(%(channel)s, %(destruction)s)", {"channel": DESTRUCTION, "destruction": str(destruction)}
    )


def revocation(note: str) -> Revocation:
    """Return what a notification says was destroyed."""
    subject, purposes, ids, subject_erased = json.loads(note)
    return Revocation(subject, tuple(map(Purpose, purposes)), tuple(ids), subject_erased)


def _notes(revocation: Revocation) -> list[str]:
    ids = revocation.data_key_ids
    if not ids:
        return [_note(revocation, ids)]
    return [_note(revocation, ids[start : start + _IDS_IN_NOTE]) for start in range(0, len(ids), _IDS_IN_NOTE)]


def _note(revocation: Revocation, ids: Sequence[str]) -> str:
    return json.dumps([revocation.subject, revocation.purposes, ids, revocation.subject_erased])
