"""Requests, read: what cannot be said in the words of the domain is refused with every field and its remedy."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from google.protobuf.duration_pb2 import Duration

from pellicule.internal.retention.v1 import data_key_pb2, key_service_pb2, purge_service_pb2
from pellicule.retention.v1 import account_service_pb2, retention_service_pb2
from pellicule.type.v1 import purpose_pb2
from services.chassis.fields import Fields, PagedRequest
from services.chassis.paging import Page, PageQuery
from services.retention.domain.account import LONGEST_DELAY, USUAL_DELAY
from services.retention.domain.keys import DataKeyRequest, Grant, Purpose
from services.retention.domain.revocation import HolderWord

MAX_CREATED = 1000
MAX_IDS = 10_000
_PAGES = {"default": 100, "most": 1000}
_MAX_LINEAGE = 1000
_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SUBJECT = re.compile(r"[0-9a-f]{32}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PurposeDestruction:
    """The purposes of a person whose keys must go, and the consent revision that says so."""

    subject: str
    purposes: tuple[Purpose, ...]
    revision: int


@dataclass(frozen=True)
class KeyCreation:
    """New data keys of a person for a purpose."""

    subject: str
    purpose: Purpose
    keys: tuple[DataKeyRequest, ...]


@dataclass(frozen=True)
class ErasureRequest:
    """An erasure of one media, or of everything if `media` is None."""

    request_id: UUID
    media: UUID | None


@dataclass(frozen=True)
class DeadlineChange:
    """A media whose end is brought forward."""

    media: UUID
    delete_time: datetime


def grant(request: key_service_pb2.GrantPurposeKeyRequest) -> Grant:
    """Return the decision to carry out."""
    with Fields() as fields:
        found = Grant(
            subject=_subject(fields, request.subject),
            purpose=_purpose(fields, request.purpose, "purpose"),
            revision=fields.number(request.revision, "revision", least=1),
            expire_time=fields.time(request.expire_time, "expire_time", after=_EPOCH),
            decide_time=fields.time(request.decide_time, "decide_time", after=_EPOCH),
            reach_back_time=fields.optional_time(request, "reach_back_time"),
        )
        if found.reach_back_time is not None and found.purpose is not Purpose.OLDER_MEDIA:
            fields.refuse("reach_back_time", "only OLDER_MEDIA reaches back: leave it out")
        return found


def holder_word(request: key_service_pb2.HoldKeysRequest) -> HolderWord:
    """Return what a holder of keys says."""
    return HolderWord(request.acknowledged_number, request.renewal_number, request.leaving)


def purpose_destruction(request: key_service_pb2.DestroyPurposeKeysRequest) -> PurposeDestruction:
    """Return the purposes whose keys must go."""
    with Fields() as fields:
        numbers = fields.many(request.purposes, "purposes", least=1, most=len(Purpose))
        return PurposeDestruction(
            subject=_subject(fields, request.subject),
            purposes=tuple(_purpose(fields, number, f"purposes[{place}]") for place, number in enumerate(numbers)),
            revision=fields.number(request.revision, "revision", least=1),
        )


def owner(subject: str, purpose: "purpose_pb2.Purpose.ValueType") -> tuple[str, Purpose]:
    """Return whose key of which purpose is meant."""
    with Fields() as fields:
        return _subject(fields, subject), _purpose(fields, purpose, "purpose")


def key_creation(request: key_service_pb2.CreateDataKeysRequest) -> KeyCreation:
    """Return the new data keys, and what they are for."""
    with Fields() as fields:
        return KeyCreation(
            subject=_subject(fields, request.subject),
            purpose=_purpose(fields, request.purpose, "purpose"),
            keys=tuple(
                _key_request(inside, spec)
                for inside, spec in fields.each(request.keys, "keys", least=1, most=MAX_CREATED)
            ),
        )


def media_to_find(request: key_service_pb2.FindKeptMediaRequest) -> tuple[str, Sequence[UUID]]:
    """Return whose media are asked for, and which."""
    with Fields() as fields:
        names = fields.many(request.media, "media", most=_MAX_LINEAGE)
        return _subject(fields, request.subject), [fields.resource(name, "media", "media") for name in names]


def key_opening(request: key_service_pb2.OpenDataKeysRequest) -> tuple[str, Purpose, Sequence[str]]:
    """Return whose data keys of which purpose are opened: their ids, in canonical form."""
    with Fields() as fields:
        subject, purpose = _subject(fields, request.subject), _purpose(fields, request.purpose, "purpose")
        return subject, purpose, _key_ids(fields, request.ids)


def key_destruction(request: key_service_pb2.DestroyDataKeysRequest) -> tuple[str, Sequence[str]]:
    """Return whose data keys are destroyed: their ids, in canonical form."""
    with Fields() as fields:
        return _subject(fields, request.subject), _key_ids(fields, request.ids)


def order_report(request: purge_service_pb2.CompletePurgeOrderRequest) -> tuple[UUID, dict[str, int]]:
    """Return an order, and what was deleted for it in each store."""
    with Fields() as fields:
        return fields.resource(request.name, "name", "purgeOrders"), _purged(fields, request.stores)


def erasure_request(request: retention_service_pb2.RequestErasureRequest) -> ErasureRequest:
    """Return what is to be erased."""
    with Fields() as fields:
        request_id, media = fields.uuid(request.request_id, "request_id"), None
        match request.WhichOneof("target"):
            case "media":
                media = fields.resource(request.media, "media", "media")
            case "everything" if request.everything:
                pass
            case _:
                fields.refuse("target", "name a media, or set everything to true")
        return ErasureRequest(request_id, media)


def deadline_change(request: retention_service_pb2.ShortenDeadlineRequest) -> DeadlineChange:
    """Return the media whose end is brought forward, and to when."""
    with Fields() as fields:
        fields.uuid(request.request_id, "request_id")
        return DeadlineChange(
            media=fields.resource(request.media, "media", "media"),
            delete_time=fields.time(request.delete_time, "delete_time", after=_EPOCH),
        )


def account_deletion(request: account_service_pb2.RequestAccountDeletionRequest) -> tuple[UUID, timedelta]:
    """Return the request id, and how long to wait."""
    with Fields() as fields:
        delay = _delay(fields, request.delay) if request.HasField("delay") else USUAL_DELAY
        return fields.uuid(request.request_id, "request_id"), delay


def resource(name: str, collection: str) -> UUID:
    """Return the UUID in the resource name that a request is about."""
    with Fields() as fields:
        return fields.resource(name, "name", collection)


def page(request: PagedRequest, query: PageQuery) -> Page:
    """Return which page of a list is wanted."""
    with Fields() as fields:
        return fields.page(request, query, **_PAGES)


def language(language_code: str) -> str:
    """Return the language of the answer.

    Raises:
        LanguageUnknown: there are no words in it.
    """
    with Fields() as fields:
        return fields.language(language_code)


def _subject(fields: Fields, value: str) -> str:
    if not _SUBJECT.fullmatch(value):
        fields.refuse("subject", "send the person's pseudonym: 32 hex characters, lower case")
    return value


def _purpose(fields: Fields, number: int, field: str) -> Purpose:
    return fields.enum(number, field, purpose_pb2.Purpose.DESCRIPTOR, Purpose)


def _key_request(fields: Fields, spec: data_key_pb2.DataKeySpec) -> DataKeyRequest:
    lineage = fields.many(spec.lineage, "lineage", most=_MAX_LINEAGE)
    return DataKeyRequest(
        delete_time=fields.time(spec.delete_time, "delete_time", after=_EPOCH),
        lineage=tuple(fields.resource(name, "lineage", "media") for name in dict.fromkeys(lineage)),
        capture_time=fields.optional_time(spec, "capture_time"),
    )


def _key_ids(fields: Fields, ids: Sequence[str]) -> Sequence[str]:
    """Thousands in a call, nearly all in canonical form: what is, is not parsed."""
    return [
        id_ if _CANONICAL_UUID.fullmatch(id_) else str(fields.uuid(id_, f"ids[{place}]"))
        for place, id_ in enumerate(fields.many(ids, "ids", most=MAX_IDS))
    ]


def _purged(fields: Fields, stores: Iterable[purge_service_pb2.PurgedStore]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for place, store in enumerate(stores):
        if not store.store or store.purged_count < 0:
            fields.refuse(f"stores[{place}]", "name the store as the data map does, with a count of 0 or more")
        counts[store.store] = counts.get(store.store, 0) + store.purged_count
    return counts


def _delay(fields: Fields, delay: Duration) -> timedelta:
    # Seconds first: a duration of more years than Python's knows cannot be converted.
    if 0 <= delay.seconds <= LONGEST_DELAY.total_seconds() and 0 <= delay.nanos < 10**9:
        found = delay.ToTimedelta()
        if found <= LONGEST_DELAY:
            return found
    fields.refuse("delay", f"wait for 0 to {LONGEST_DELAY.days} days")
    return USUAL_DELAY
