"""Statements on what the journal does not have yet, and entries made of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.chassis.database import Connection
from services.journal import Destruction, ErasedPerson, PurposeKeyEnd, person_tag
from services.retention.store.journal import JournalTable


@dataclass(frozen=True)
class PendingRow:
    """A row of `journal_pending`, as a trigger wrote it."""

    position: int
    kind: str
    body: Any


async def oldest(connection: Connection, limit: int) -> list[PendingRow]:
    """Return what was destroyed and is not in the journal."""
    cursor = await connection.execute(
        "SELECT position, kind, body FROM journal_pending ORDER BY position LIMIT %(limit)s", {"limit": limit}
    )
    return [PendingRow(*row) for row in await cursor.fetchall()]


async def delete(connection: Connection, rows: Iterable[PendingRow]) -> None:
    """Delete what is in the journal now."""
    await connection.execute(
        "DELETE FROM journal_pending WHERE position = ANY(%(positions)s)",
        {"positions": [row.position for row in rows]},
    )


async def highest_revision(connection: Connection) -> int:
    """Return up to where fencing numbers may have been handed out."""
    cursor = await connection.execute(
        "SELECT greatest(last_value, (SELECT until FROM revision_reservation)) FROM purpose_revision"
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def begin_revisions(connection: Connection, base: int, until: int) -> None:
    """Hand out numbers above a base from now on; what another process has handed out meanwhile stays."""
    await connection.execute(
        "SELECT setval('purpose_revision', %(base)s) FROM purpose_revision WHERE last_value < %(base)s",
        {"base": base},
    )
    await JournalTable(connection).reserve(until)


def destruction(rows: Sequence[PendingRow], salt: str) -> Destruction:
    """Return what rows say as one entry, without a pseudonym."""
    bodies = {kind: [row.body for row in rows if row.kind == kind] for kind in {row.kind for row in rows}}
    return Destruction(
        salt=salt,
        purpose_keys=tuple(
            PurposeKeyEnd(body["revision"], person_tag(salt, body["subject"])) for body in bodies.get("PURPOSE_KEY", ())
        ),
        data_keys=tuple(id_ for ids in bodies.get("DATA_KEYS", ()) for id_ in ids),
        media=tuple((body["media"], _time(body)) for body in bodies.get("MEDIA", ())),
        bounds=tuple((body["revision"], _time(body)) for body in bodies.get("BOUND", ())),
        epochs=tuple(body["epoch"] for body in bodies.get("EPOCH", ())),
        persons=tuple(
            ErasedPerson(person_tag(salt, body["subject"]), body["revision"], _time(body), account=kind == "ACCOUNT")
            for kind in ("PERSON", "ACCOUNT")
            for body in bodies.get(kind, ())
        ),
    )


def _time(body: Any) -> datetime:  # what a trigger wrote
    return datetime.fromisoformat(body["time"])
