"""The keyring's plain data to and from the messages of `pellicule.retention.v1`."""

from collections.abc import Sequence
from datetime import UTC, datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.retention.v1 import data_key_pb2, erasure_pb2, key_service_pb2, purpose_pb2
from services.chassis.error_details import as_domain_error, read_error
from services.chassis.errors import DomainError
from services.keyring.cache import Revocation
from services.keyring.errors import GrantStale, MediaErased, NothingToErase, PersonErased, PurposeNotGranted
from services.keyring.keys import NewDataKey
from services.keyring.orders import (
    DataKeyScope,
    PurgeCause,
    PurgeOrder,
    PurgeScope,
    PurposeScope,
    SubjectScope,
)

_PURPOSE_PREFIX = "PURPOSE_"
_CAUSE_PREFIX = "PURGE_CAUSE_"
_ERRORS: dict[str, type[DomainError]] = {
    error.reason: error for error in (GrantStale, MediaErased, NothingToErase, PersonErased, PurposeNotGranted)
}


def purpose_number(name: str) -> "purpose_pb2.Purpose.ValueType":
    """Returns the enum value of a purpose's name.

    Raises:
        ValueError: there is no such purpose.
    """
    return purpose_pb2.Purpose.Value(_PURPOSE_PREFIX + name)


def purpose_name(number: "purpose_pb2.Purpose.ValueType") -> str:
    """Returns the name of a purpose, such as "LOCATION"."""
    return purpose_pb2.Purpose.Name(number).removeprefix(_PURPOSE_PREFIX)


def timestamp(time: datetime) -> Timestamp:
    """Returns an aware time as a message."""
    message = Timestamp()
    message.FromDatetime(time)
    return message


def data_key_spec(key: NewDataKey) -> data_key_pb2.DataKeySpec:
    """Returns the request for one data key."""
    return data_key_pb2.DataKeySpec(delete_time=timestamp(key.delete_by), lineage=key.lineage)


def revocation(message: key_service_pb2.WatchRevocationsResponse) -> Revocation | None:
    """Returns what a message of the stream says was destroyed; None for a heartbeat."""
    if not message.subject:
        return None
    return Revocation(
        subject=message.subject,
        purposes=frozenset(map(purpose_name, message.purposes)),
        data_key_ids=frozenset(message.data_key_ids),
        subject_erased=message.subject_erased,
    )


def purge_order(message: erasure_pb2.PurgeOrder) -> PurgeOrder:
    """Returns an order."""
    return PurgeOrder(
        name=message.name,
        subject=message.subject,
        cause=PurgeCause(erasure_pb2.PurgeCause.Name(message.cause).removeprefix(_CAUSE_PREFIX)),
        scope=_scope(message),
        create_time=message.create_time.ToDatetime(tzinfo=UTC),
    )


def keyring_error(error: grpc.aio.AioRpcError) -> DomainError:
    """Returns what the retention service's refusal means to a caller of the keyring."""
    said = read_error(error)
    if said.reason in _ERRORS:
        return _ERRORS[said.reason](said.message, metadata=said.metadata)
    return as_domain_error(error)


def in_portions(items: Sequence[str], size: int) -> list[Sequence[str]]:
    """Returns `items` in portions of at most `size`, in order."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def _scope(message: erasure_pb2.PurgeOrder) -> PurgeScope:
    match message.WhichOneof("scope"):
        case "data_keys":
            return DataKeyScope(tuple(message.data_keys.ids))
        case "purpose":
            return PurposeScope(purpose_name(message.purpose.purpose), message.purpose.revision)
        case "whole_subject":
            scope = message.whole_subject
            return SubjectScope(scope.revision, scope.erase_time.ToDatetime(tzinfo=UTC))
    raise ValueError(f"{message.name} has a scope that this release does not know")
