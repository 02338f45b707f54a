"""Erasing a person from these tables: everything until the erasure goes, and the key of what backups still hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.chassis.database import Connection
from services.chassis.messaging import outbox
from services.consent.store.events import EventRows
from services.consent.store.persons import PersonRows, RequestRow
from services.consent.store.record_keys import RecordKey, RecordKeys
from services.consent.store.records import EventRow, ServingRow, event, event_row, serving, serving_row
from services.consent.store.servings import ServingRows


@dataclass(frozen=True)
class _Later:
    """What was written down after the erasure was asked for, by a person who came back."""

    requests: list[RequestRow]
    servings: list[ServingRow]
    events: list[EventRow]

    def counts(self) -> Mapping[str, int]:
        return {
            "consent.table.request": len(self.requests),
            "consent.table.notice_serving": len(self.servings),
            "consent.table.consent_event": len(self.events),
            "consent.table.person": 1 if self.requests or self.servings or self.events else 0,
        }


async def purge(connection: Connection, subject: str, keys: RecordKeys, erase_time: datetime) -> Mapping[str, int]:
    """Delete what was written down until `erase_time`, in the running transaction.

    What came later is put back under a new key, because the old one must die.

    Returns:
        Rows deleted, by store as the data map names them.
    """
    persons = PersonRows(connection)
    person = await persons.person(subject)
    if person is None:
        return {}
    later = await _later(connection, subject, erase_time)
    deleted = await _delete_all(connection, subject)
    if later.counts()["consent.table.person"]:
        wrapped = keys.make(subject)
        await persons.add_person(subject, revision=person.revision, wrapped_key=wrapped)
        old, new = keys.unwrap(person.wrapped_key, subject=subject), keys.unwrap(wrapped, subject=subject)
        await _put_back(connection, subject, later, old, new)
    return {store: count - later.counts().get(store, 0) for store, count in deleted.items()}


async def _later(connection: Connection, subject: str, time: datetime) -> _Later:
    return _Later(
        requests=await PersonRows(connection).requests_after(subject, time),
        servings=await ServingRows(connection).after(subject, time),
        events=await EventRows(connection).after(subject, time),
    )


async def _delete_all(connection: Connection, subject: str) -> dict[str, int]:
    persons = PersonRows(connection)
    return {
        "consent.table.outbox": await outbox.forget(connection, subject),
        "consent.table.pending_change": await persons.delete_pending(subject),
        "consent.table.request": await persons.delete_requests(subject),
        "consent.table.consent_event": await EventRows(connection).delete(subject),
        "consent.table.notice_serving": await ServingRows(connection).delete(subject),
        "consent.table.person": await persons.delete_person(subject),
    }


async def _put_back(connection: Connection, subject: str, later: _Later, old: RecordKey, new: RecordKey) -> None:
    persons, servings, events = PersonRows(connection), ServingRows(connection), EventRows(connection)
    for request in later.requests:
        await persons.add_request(subject, request)
    for shown in later.servings:
        record = serving(shown, old)
        row = serving_row(record, request_id=shown.request_id, request_sha256=shown.request_sha256, key=new)
        await servings.add(subject, row)
    for decided in later.events:
        await events.add(subject, event_row(event(decided, old), new))
