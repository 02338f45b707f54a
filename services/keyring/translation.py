"""Messages of the retention service and the keyring's plain data; the one mapping of purposes for all services."""

from collections.abc import Sequence
from datetime import UTC, datetime

import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.internal.retention.v1 import data_key_pb2, key_service_pb2, purge_order_pb2
from pellicule.retention.v1 import erasure_pb2
from pellicule.type.v1 import purpose_pb2
from services.chassis.error_details import as_domain_error, read_error
from services.chassis.errors import DomainError
from services.keyring.cache import Revocation
from services.keyring.erasures import Erasure, ErasureState, StorePurge
from services.keyring.errors import (
    GrantStale,
    MediaErased,
    NothingToErase,
    PersonErased,
    PurposeNotGranted,
    RequestIdReused,
)
from services.keyring.keys import NewDataKey
from services.keyring.orders import (
    DataKeyScope,
    PurgeCause,
    PurgeOrder,
    PurgeScope,
    PurposeScope,
    SubjectScope,
)
from services.keyring.purpose import Purpose

_PURPOSE_PREFIX = "PURPOSE_"
_CAUSE_PREFIX = "PURGE_CAUSE_"
_STATE_PREFIX = "ERASURE_STATE_"
_ERRORS: dict[str, type[DomainError]] = {
    error.reason: error
    for error in (GrantStale, MediaErased, NothingToErase, PersonErased, PurposeNotGranted, RequestIdReused)
}


def purpose_number(name: str) -> "purpose_pb2.Purpose.ValueType":
    """Return the enum value of a purpose's name.

    Raises:
        ValueError: there is no such purpose.
    """
    return purpose_pb2.Purpose.Value(_PURPOSE_PREFIX + name)


def purpose_of(number: "purpose_pb2.Purpose.ValueType") -> Purpose:
    """Return the purpose that an enum value names.

    Raises:
        ValueError: it names none that this release knows.
    """
    return Purpose(purpose_pb2.Purpose.Name(number).removeprefix(_PURPOSE_PREFIX))


def timestamp(time: datetime) -> Timestamp:
    """Return an aware time as a message."""
    message = Timestamp()
    message.FromDatetime(time)
    return message


def data_key_spec(key: NewDataKey) -> data_key_pb2.DataKeySpec:
    """Return the request for one data key."""
    taken = None if key.capture_time is None else timestamp(key.capture_time)
    return data_key_pb2.DataKeySpec(delete_time=timestamp(key.delete_by), lineage=key.lineage, capture_time=taken)


def revocation(message: key_service_pb2.HoldKeysResponse) -> Revocation:
    """Return what a message says was destroyed."""
    return Revocation(
        subject=message.subject,
        purposes=frozenset(map(purpose_of, message.purposes)),
        data_key_ids=frozenset(message.data_key_ids),
        subject_erased=message.subject_erased,
    )


def purge_order(message: purge_order_pb2.PurgeOrder) -> PurgeOrder:
    """Return an order."""
    return PurgeOrder(
        name=message.name,
        subject=message.subject,
        cause=PurgeCause(purge_order_pb2.PurgeCause.Name(message.cause).removeprefix(_CAUSE_PREFIX)),
        scope=_scope(message),
        create_time=message.create_time.ToDatetime(tzinfo=UTC),
    )


def erasure(message: erasure_pb2.Erasure) -> Erasure:
    """Return an erasure."""
    return Erasure(
        name=message.name,
        media=message.media,
        state=ErasureState(erasure_pb2.ErasureState.Name(message.state).removeprefix(_STATE_PREFIX)),
        request_time=message.request_time.ToDatetime(tzinfo=UTC),
        keys_destroy_time=message.keys_destroy_time.ToDatetime(tzinfo=UTC),
        purge_time=_optional_time(message, "purge_time"),
        stores=tuple(
            StorePurge(each.store, each.service, each.purged_count, _optional_time(each, "purge_time"))
            for each in message.stores
        ),
    )


def erasure_message(erasure: Erasure) -> erasure_pb2.Erasure:
    """Return an erasure as a message: a service that asks for one on a person's word answers with it."""
    return erasure_pb2.Erasure(
        name=erasure.name,
        media=erasure.media,
        state=erasure_pb2.ErasureState.Value(f"{_STATE_PREFIX}{erasure.state}"),
        request_time=timestamp(erasure.request_time),
        keys_destroy_time=timestamp(erasure.keys_destroy_time),
        purge_time=_optional_timestamp(erasure.purge_time),
        stores=map(_store_message, erasure.stores),
    )


def keyring_error(error: grpc.aio.AioRpcError) -> DomainError:
    """Return what the retention service's refusal means to a caller of the keyring."""
    said = read_error(error)
    if said.reason in _ERRORS:
        return _ERRORS[said.reason](said.message, metadata=said.metadata)
    return as_domain_error(error)


def in_portions(items: Sequence[str], size: int) -> list[Sequence[str]]:
    """Return `items` in portions of at most `size`, in order."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def _scope(message: purge_order_pb2.PurgeOrder) -> PurgeScope:
    match message.WhichOneof("scope"):
        case "data_keys":
            return DataKeyScope(tuple(message.data_keys.ids))
        case "purpose":
            return PurposeScope(purpose_of(message.purpose.purpose), message.purpose.revision)
        case "whole_subject":
            scope = message.whole_subject
            return SubjectScope(scope.revision, scope.erase_time.ToDatetime(tzinfo=UTC), scope.account)
    raise ValueError(f"{message.name} has a scope that this release does not know")


def _store_message(purge: StorePurge) -> erasure_pb2.StorePurge:
    return erasure_pb2.StorePurge(
        store=purge.store,
        service=purge.service,
        purged_count=purge.purged_count,
        purge_time=_optional_timestamp(purge.purge_time),
    )


def _optional_time(message: Message, field: str) -> datetime | None:
    return getattr(message, field).ToDatetime(tzinfo=UTC) if message.HasField(field) else None


def _optional_timestamp(time: datetime | None) -> Timestamp | None:
    return None if time is None else timestamp(time)
