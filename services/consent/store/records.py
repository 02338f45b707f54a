"""Rows and what they stand for: personal fields are sealed on the way in and opened on the way out."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from services.consent.domain.change import Change
from services.consent.domain.consent import Age, ConsentEvent, EventType, Jurisdiction
from services.consent.domain.notice import NoticeServing, Surface
from services.consent.store.record_keys import RecordKey
from services.keyring import Purpose


@dataclass(frozen=True)
class EventRow:
    """A row of `consent_event`, but for its subject."""

    id: UUID
    revision: int
    purpose: str
    type: str
    event_time: datetime
    expire_time: datetime | None
    notice: str
    serving: UUID | None
    policy_sha256: str
    cascade_of: str | None
    request_id: UUID | None
    sealed: bytes


@dataclass(frozen=True)
class ServingRow:
    """A row of `notice_serving`, but for its subject."""

    id: UUID
    notice: str
    serve_time: datetime
    request_id: UUID
    request_sha256: str
    sealed: bytes


@dataclass(frozen=True)
class _PersonalOfEvent:
    jurisdiction: Jurisdiction | None
    age: Age | None
    older_media_start_time: datetime | None


@dataclass(frozen=True)
class _PersonalOfServing:
    language_code: str
    surface: Surface
    build: str
    rendered_sha256: str


_EVENT = TypeAdapter(_PersonalOfEvent)
_SERVING = TypeAdapter(_PersonalOfServing)
_CHANGE = TypeAdapter(Change)


def event_row(event: ConsentEvent, key: RecordKey) -> EventRow:
    """Return the row of an event."""
    personal = _PersonalOfEvent(event.jurisdiction, event.age, event.older_media_start_time)
    return EventRow(
        id=event.id,
        revision=event.revision,
        purpose=event.purpose,
        type=event.type,
        event_time=event.event_time,
        expire_time=event.expire_time,
        notice=event.notice,
        serving=event.serving,
        policy_sha256=event.policy_sha256,
        cascade_of=event.cascade_of,
        request_id=event.request_id,
        sealed=key.seal(_EVENT.dump_json(personal), record=_event_name(event.id)),
    )


def event(row: EventRow, key: RecordKey) -> ConsentEvent:
    """Return the event of a row."""
    personal = _EVENT.validate_json(key.open(row.sealed, record=_event_name(row.id)))
    return ConsentEvent(
        id=row.id,
        revision=row.revision,
        purpose=Purpose(row.purpose),
        type=EventType(row.type),
        event_time=row.event_time,
        expire_time=row.expire_time,
        notice=row.notice,
        serving=row.serving,
        jurisdiction=personal.jurisdiction,
        age=personal.age,
        policy_sha256=row.policy_sha256,
        cascade_of=None if row.cascade_of is None else Purpose(row.cascade_of),
        older_media_start_time=personal.older_media_start_time,
        request_id=row.request_id,
    )


def serving_row(serving: NoticeServing, *, request_id: UUID, request_sha256: str, key: RecordKey) -> ServingRow:
    """Return the row of a record of a notice shown."""
    personal = _PersonalOfServing(serving.language_code, serving.surface, serving.build, serving.rendered_sha256)
    return ServingRow(
        id=serving.id,
        notice=serving.notice,
        serve_time=serving.serve_time,
        request_id=request_id,
        request_sha256=request_sha256,
        sealed=key.seal(_SERVING.dump_json(personal), record=_serving_name(serving.id)),
    )


def serving(row: ServingRow, key: RecordKey) -> NoticeServing:
    """Return the record of a row."""
    personal = _SERVING.validate_json(key.open(row.sealed, record=_serving_name(row.id)))
    return NoticeServing(id=row.id, notice=row.notice, serve_time=row.serve_time, **asdict(personal))


def sealed_change(change: Change, *, subject: str, key: RecordKey) -> bytes:
    """Return a pending change of a person, sealed."""
    return key.seal(_CHANGE.dump_json(change), record=_change_name(subject))


def change(sealed: bytes, *, subject: str, key: RecordKey) -> Change:
    """Return a pending change of a person."""
    return _CHANGE.validate_json(key.open(sealed, record=_change_name(subject)))


def _event_name(event_id: UUID) -> str:
    return f"consentEvents/{event_id}"


def _serving_name(serving_id: UUID) -> str:
    return f"noticeServings/{serving_id}"


def _change_name(subject: str) -> str:
    return f"pendingChanges/{subject}"
