"""Messages of `pellicule.retention.v1` to the domain and back; raises field violations."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.retention.v1 import (
    data_key_pb2,
    data_map_pb2,
    erasure_pb2,
    key_service_pb2,
    purge_service_pb2,
    purpose_pb2,
)
from services.chassis.errors import FieldInvalid
from services.chassis.events import OutgoingEvent
from services.retention.domain.data_map import DataStore
from services.retention.domain.erasure import Erasure, StorePurge
from services.retention.domain.keys import DataKeyRequest, Grant, OpenKey, Purpose, media_name
from services.retention.domain.orders import DataKeyScope, PurgeOrder, PurposeScope, SubjectScope
from services.retention.domain.revocation import Revocation

MAX_CREATED = 1000
MAX_IDS = 10_000
MAX_PAGE = 1000
_DEFAULT_PAGE = 100
_MAX_LINEAGE = 1000
_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUID_WANTED = "send a UUID such as 4f1c0a52-6f0e-4c63-9a57-0d2f7a1f6a33"
_HEX = frozenset("0123456789abcdef")
_PURPOSES = {purpose_pb2.Purpose.Value(f"PURPOSE_{purpose}"): purpose for purpose in Purpose}
_NUMBERS = {purpose: number for number, purpose in _PURPOSES.items()}


def subject(value: str) -> str:
    """Returns a pseudonym."""
    if len(value) != 32 or not _HEX.issuperset(value):
        raise FieldInvalid.of("subject", "send the person's pseudonym: 32 hex characters, lower case")
    return value


def purpose(number: "purpose_pb2.Purpose.ValueType", field: str = "purpose") -> Purpose:
    """Returns a purpose."""
    if number not in _PURPOSES:
        raise FieldInvalid.of(field, f"choose one of {', '.join(Purpose)}")
    return _PURPOSES[number]


def purposes(numbers: "Sequence[purpose_pb2.Purpose.ValueType]") -> list[Purpose]:
    """Returns one or more purposes."""
    if not numbers:
        raise FieldInvalid.of("purposes", "name at least one")
    return [purpose(number, f"purposes[{index}]") for index, number in enumerate(numbers)]


def revision(value: int) -> int:
    """Returns a consent revision."""
    if value < 1:
        raise FieldInvalid.of("revision", "send the consent revision, 1 or higher")
    return value


def uuid(value: str, field: str) -> UUID:
    """Returns a UUID in its canonical form."""
    if _CANONICAL_UUID.fullmatch(value) is None:
        raise FieldInvalid.of(field, _UUID_WANTED)
    return UUID(value)


def resource(value: str, collection: str, field: str) -> UUID:
    """Returns the UUID in a resource name of a collection."""
    prefix, _, id_ = value.partition("/")
    if prefix != collection:
        raise FieldInvalid.of(field, f"send a name of the form {collection}/{{uuid}}")
    return uuid(id_, field)


def time(message: Timestamp, field: str) -> datetime:
    """Returns a time that must be set."""
    try:
        parsed = message.ToDatetime(tzinfo=UTC)
    except ValueError:
        raise FieldInvalid.of(field, "send a time between year 1 and year 9999") from None
    if message.seconds <= 0:
        raise FieldInvalid.of(field, "send a time after 1970")
    return parsed


def grant(request: key_service_pb2.GrantPurposeKeyRequest) -> Grant:
    """Returns the decision to carry out."""
    return Grant(
        subject=subject(request.subject),
        purpose=purpose(request.purpose),
        revision=revision(request.revision),
        expire_time=time(request.expire_time, "expire_time"),
        decide_time=time(request.decide_time, "decide_time"),
        reach_back_time=_reach_back_time(request),
    )


def key_requests(specs: Sequence[data_key_pb2.DataKeySpec]) -> list[DataKeyRequest]:
    """Returns what new data keys are for."""
    if not 1 <= len(specs) <= MAX_CREATED:
        raise FieldInvalid.of("keys", f"ask for 1 to {MAX_CREATED} keys in one call")
    return [_key_request(spec, f"keys[{index}]") for index, spec in enumerate(specs)]


def key_ids(ids: Sequence[str]) -> Sequence[str]:
    """Returns ids of data keys: UUIDs in canonical form."""
    if len(ids) > MAX_IDS:
        raise FieldInvalid.of("ids", f"send at most {MAX_IDS} ids in one call")
    for index, id_ in enumerate(ids):
        if _CANONICAL_UUID.fullmatch(id_) is None:
            raise FieldInvalid.of(f"ids[{index}]", _UUID_WANTED)
    return ids


def page_size(value: int) -> int:
    """Returns how many items a page has at most."""
    if not 0 <= value <= MAX_PAGE:
        raise FieldInvalid.of("page_size", f"choose a value from 1 to {MAX_PAGE}, or 0 for {_DEFAULT_PAGE}")
    return value or _DEFAULT_PAGE


def page_position(token: str, start: int) -> int:
    """Returns the number behind a page token, or `start` for the first page."""
    if not token:
        return start
    if not token.isascii() or not token.isdecimal() or len(token) > 18:
        raise FieldInvalid.of("page_token", "send next_page_token of the page before, or nothing")
    return int(token)


def purged(stores: Iterable[purge_service_pb2.PurgedStore]) -> dict[str, int]:
    """Returns what was deleted in each store."""
    counts: dict[str, int] = {}
    for index, store in enumerate(stores):
        if not store.store or store.purged_count < 0:
            raise FieldInvalid.of(f"stores[{index}]", "name the store as the data map does, with a count of 0 or more")
        counts[store.store] = counts.get(store.store, 0) + store.purged_count
    return counts


def timestamp(value: datetime | None) -> Timestamp | None:
    """Returns a time as a message, or None for none."""
    if value is None:
        return None
    message = Timestamp()
    message.FromDatetime(value)
    return message


def data_keys(keys: Iterable[OpenKey]) -> Iterable[data_key_pb2.DataKey]:
    """Returns keys in clear as messages."""
    return [data_key_pb2.DataKey(id=key.id, key=key.key) for key in keys]


def revocation(destroyed: Revocation) -> key_service_pb2.WatchRevocationsResponse:
    """Returns what was destroyed as a message."""
    return key_service_pb2.WatchRevocationsResponse(
        subject=destroyed.subject,
        purposes=[_NUMBERS[one] for one in destroyed.purposes],
        data_key_ids=destroyed.data_key_ids,
        subject_erased=destroyed.subject_erased,
    )


def purge_order(order: PurgeOrder) -> erasure_pb2.PurgeOrder:
    """Returns an order as a message."""
    message = erasure_pb2.PurgeOrder(
        name=f"purgeOrders/{order.id}",
        service=order.service,
        subject=order.subject,
        cause=erasure_pb2.PurgeCause.Value(f"PURGE_CAUSE_{order.cause}"),
        create_time=timestamp(order.create_time),
    )
    match order.scope:
        case DataKeyScope(ids=ids):
            message.data_keys.ids.extend(ids)
        case PurposeScope() as scope:
            message.purpose.purpose = _NUMBERS[scope.purpose]
            message.purpose.revision = scope.revision
        case SubjectScope() as scope:
            message.whole_subject.revision = scope.revision
            message.whole_subject.erase_time.FromDatetime(scope.erase_time)
    return message


def purge_ordered(order: PurgeOrder) -> OutgoingEvent:
    """Returns the event that tells a service of an order."""
    message = erasure_pb2.PurgeOrdered(service=order.service, order=purge_order(order))
    return OutgoingEvent(
        type=erasure_pb2.PurgeOrdered.DESCRIPTOR.full_name,
        subject=message.order.name,
        body=message.SerializeToString(),
    )


def erasure(one: Erasure, stores: Iterable[StorePurge]) -> erasure_pb2.Erasure:
    """Returns an erasure as a message."""
    return erasure_pb2.Erasure(
        name=f"erasures/{one.id}",
        media=media_name(one.media) if one.media is not None else "",
        state=erasure_pb2.ErasureState.Value(f"ERASURE_STATE_{one.state}"),
        request_time=timestamp(one.request_time),
        keys_destroy_time=timestamp(one.keys_destroy_time),
        purge_time=timestamp(one.purge_time),
        stores=map(_store_purge, stores),
    )


def data_store(store: DataStore) -> data_map_pb2.DataStore:
    """Returns a row of the data map as a message."""
    return data_map_pb2.DataStore(
        name=store.name,
        service=store.service,
        kind=store.kind,
        holds=store.holds,
        purposes=store.purposes,
        parent=store.parent,
        dies_by=store.dies_by,
    )


def _reach_back_time(request: key_service_pb2.GrantPurposeKeyRequest) -> datetime | None:
    if not request.HasField("reach_back_time"):
        return None
    if request.purpose != purpose_pb2.PURPOSE_OLDER_MEDIA:
        raise FieldInvalid.of("reach_back_time", "only OLDER_MEDIA reaches back: leave it out")
    return time(request.reach_back_time, "reach_back_time")


def _key_request(spec: data_key_pb2.DataKeySpec, field: str) -> DataKeyRequest:
    if len(spec.lineage) > _MAX_LINEAGE:
        raise FieldInvalid.of(f"{field}.lineage", f"name at most {_MAX_LINEAGE} media")
    return DataKeyRequest(
        delete_time=time(spec.delete_time, f"{field}.delete_time"),
        lineage=tuple(resource(name, "media", f"{field}.lineage") for name in dict.fromkeys(spec.lineage)),
    )


def _store_purge(report: StorePurge) -> erasure_pb2.StorePurge:
    return erasure_pb2.StorePurge(
        store=report.store,
        service=report.service,
        purged_count=report.purged_count,
        purge_time=timestamp(report.purge_time),
    )
