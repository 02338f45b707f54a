"""Records of the journal as bytes: canonical JSON, each bound to the one before by its SHA-256 digest."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.journal.entries import (
    Beginning,
    Destruction,
    Entry,
    ErasedPerson,
    LossAccepted,
    PurposeKeyEnd,
    RevisionsReserved,
)
from services.journal.errors import RecordUnreadable

_Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Position:
    """How far a journal has been seen.

    Attributes:
        journal: Its id.
        number: Of the last record seen.
        digest: Of that record's bytes.
    """

    journal: str
    number: int
    digest: str


@dataclass(frozen=True)
class Record:
    """An object of the journal.

    Attributes:
        journal: Id of the journal.
        number: Its place in the order, from 0.
        previous: Digest of the record before; empty for the first.
        entries: What it tells.
        digest: Of its own bytes, once it has any.
    """

    journal: str
    number: int
    previous: str
    entries: tuple[Entry, ...]
    digest: str = ""

    @property
    def position(self) -> Position:
        """The position of a database that has seen the journal up to this record."""
        return Position(self.journal, self.number, self.digest)


def digest(data: bytes) -> str:
    """Return the digest that the next record names."""
    return hashlib.sha256(data).hexdigest()


def encode(record: Record) -> bytes:
    """Return a record's bytes, the same each time."""
    fields = {
        "journal": record.journal,
        "number": record.number,
        "previous": record.previous,
        "entries": [_entry_fields(entry) for entry in record.entries],
    }
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def decode(data: bytes) -> Record:
    """Return the record that bytes stand for.

    Raises:
        RecordUnreadable: they were cut off or altered, or a later release wrote them.
    """
    try:
        fields = json.loads(data)
        entries = tuple(_READERS[each["kind"]](each) for each in fields["entries"])
        return Record(str(fields["journal"]), int(fields["number"]), str(fields["previous"]), entries, digest(data))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordUnreadable.because(error) from error


def _entry_fields(entry: Entry) -> _Fields:
    match entry:
        case Beginning():
            return {"kind": "BEGINNING"}
        case RevisionsReserved(until):
            return {"kind": "REVISIONS_RESERVED", "until": until}
        case LossAccepted(journal, number):
            return {"kind": "LOSS_ACCEPTED", "journal": journal, "number": number}
        case Destruction():
            return {
                "kind": "DESTRUCTION",
                "salt": entry.salt,
                "purpose_keys": [[each.revision, each.tag] for each in entry.purpose_keys],
                "data_keys": list(entry.data_keys),
                "media": _timed(entry.media),
                "bounds": _timed(entry.bounds),
                "persons": [[each.tag, each.revision, each.time.isoformat(), each.account] for each in entry.persons],
                "epochs": list(entry.epochs),
            }


def _timed(pairs: Sequence[tuple[object, datetime]]) -> list[list[object]]:
    return [[each, time.isoformat()] for each, time in pairs]


def _destruction(fields: _Fields) -> Destruction:
    return Destruction(
        salt=str(fields["salt"]),
        purpose_keys=tuple(PurposeKeyEnd(int(revision), str(tag)) for revision, tag in fields["purpose_keys"]),
        data_keys=tuple(map(str, fields["data_keys"])),
        media=tuple((str(media), datetime.fromisoformat(time)) for media, time in fields["media"]),
        bounds=tuple((int(revision), datetime.fromisoformat(time)) for revision, time in fields["bounds"]),
        persons=tuple(
            ErasedPerson(str(tag), int(revision), datetime.fromisoformat(time), bool(account))
            for tag, revision, time, account in fields["persons"]
        ),
        epochs=tuple(map(str, fields.get("epochs", ()))),  # older records have none
    )


_READERS: Final[Mapping[str, Callable[[_Fields], Entry]]] = {
    "BEGINNING": lambda fields: Beginning(),
    "REVISIONS_RESERVED": lambda fields: RevisionsReserved(int(fields["until"])),
    "LOSS_ACCEPTED": lambda fields: LossAccepted(str(fields["journal"]), int(fields["number"])),
    "DESTRUCTION": _destruction,
}
