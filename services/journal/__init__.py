"""Journal of destructions: what was destroyed is written down outside the databases, so that none brings it back.

Append-only objects in one total order, each bound to the one before by its digest; ids and fencing numbers only. The
retention service writes it, every service replays what its database has not seen before it opens anything.

This package's own names are plain Python (no driver), so that operations may use them. The adapters (`directory`,
`bucket`), the statements (`positions`) and what follows the journal (`follower`) are built in a composition root.
"""

from services.journal.entries import (
    Beginning,
    Destruction,
    Entry,
    ErasedPerson,
    LossAccepted,
    PurposeKeyEnd,
    RevisionsReserved,
    person_tag,
)
from services.journal.errors import JournalClosed, JournalDamaged, JournalLost, JournalMissing
from services.journal.journal import Journal
from services.journal.ports import JournalObjects
from services.journal.record import Position, Record

__all__ = [
    "Beginning",
    "Destruction",
    "Entry",
    "ErasedPerson",
    "Journal",
    "JournalClosed",
    "JournalDamaged",
    "JournalLost",
    "JournalMissing",
    "JournalObjects",
    "LossAccepted",
    "Position",
    "PurposeKeyEnd",
    "Record",
    "RevisionsReserved",
    "person_tag",
]
