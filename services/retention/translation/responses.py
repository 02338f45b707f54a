"""Responses, written."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.internal.retention.v1 import data_key_pb2, key_service_pb2, purge_order_pb2
from pellicule.retention.v1 import account_pb2, data_map_pb2, erasure_pb2
from pellicule.type.v1 import purpose_pb2
from services.chassis.messaging.events import OutgoingEvent
from services.retention.domain.account import AccountDeletion
from services.retention.domain.data_map import DataStore
from services.retention.domain.erasure import Erasure, StorePurge
from services.retention.domain.keys import OpenKey, media_name
from services.retention.domain.orders import DataKeyScope, PurgeOrder, PurposeScope, SubjectScope
from services.retention.domain.revocation import HolderNews, Lease, Revocation


def timestamp(value: datetime | None) -> Timestamp | None:
    """Return a time as a message, or None for none."""
    if value is None:
        return None
    message = Timestamp()
    message.FromDatetime(value)
    return message


def data_keys(keys: Iterable[OpenKey]) -> Iterable[data_key_pb2.DataKey]:
    """Return keys in clear as messages."""
    return [data_key_pb2.DataKey(id=key.id, key=key.key) for key in keys]


def revocation(destroyed: Revocation) -> key_service_pb2.WatchRevocationsResponse:
    """Return what was destroyed as a message."""
    return key_service_pb2.WatchRevocationsResponse(
        subject=destroyed.subject,
        purposes=map(_purpose, destroyed.purposes),
        data_key_ids=destroyed.data_key_ids,
        subject_erased=destroyed.subject_erased,
    )


def holder_news(news: HolderNews) -> key_service_pb2.HoldKeysResponse:
    """Return what a holder of keys is told as a message."""
    if isinstance(news, Lease):
        lease = Duration()
        lease.FromTimedelta(timedelta(seconds=news.seconds))
        return key_service_pb2.HoldKeysResponse(renewal_number=news.renewal, lease_duration=lease)
    destroyed = news.revocation
    return key_service_pb2.HoldKeysResponse(
        number=news.number,
        subject=destroyed.subject,
        purposes=map(_purpose, destroyed.purposes),
        data_key_ids=destroyed.data_key_ids,
        subject_erased=destroyed.subject_erased,
    )


def purge_order(order: PurgeOrder) -> purge_order_pb2.PurgeOrder:
    """Return an order as a message."""
    message = purge_order_pb2.PurgeOrder(
        name=f"purgeOrders/{order.id}",
        service=order.service,
        subject=order.subject,
        cause=purge_order_pb2.PurgeCause.Value(f"PURGE_CAUSE_{order.cause}"),
        create_time=timestamp(order.create_time),
    )
    match order.scope:
        case DataKeyScope(ids=ids):
            message.data_keys.ids.extend(ids)
        case PurposeScope() as scope:
            message.purpose.purpose = _purpose(scope.purpose)
            message.purpose.revision = scope.revision
        case SubjectScope() as scope:
            message.whole_subject.revision = scope.revision
            message.whole_subject.erase_time.FromDatetime(scope.erase_time)
            message.whole_subject.account = scope.account
    return message


def purge_ordered(order: PurgeOrder) -> OutgoingEvent:
    """Return the event that tells a service of an order."""
    message = purge_order_pb2.PurgeOrdered(service=order.service, order=purge_order(order))
    return OutgoingEvent(
        type=purge_order_pb2.PurgeOrdered.DESCRIPTOR.full_name,
        subject=message.order.name,
        body=message.SerializeToString(),
    )


def erasure(one: Erasure, stores: Iterable[StorePurge]) -> erasure_pb2.Erasure:
    """Return an erasure as a message."""
    return erasure_pb2.Erasure(
        name=f"erasures/{one.id}",
        media=media_name(one.media) if one.media is not None else "",
        state=erasure_pb2.ErasureState.Value(f"ERASURE_STATE_{one.state}"),
        request_time=timestamp(one.request_time),
        keys_destroy_time=timestamp(one.keys_destroy_time),
        purge_time=timestamp(one.purge_time),
        stores=map(_store_purge, stores),
    )


def account_deletion(one: AccountDeletion, stores: Iterable[StorePurge]) -> account_pb2.AccountDeletion:
    """Return the deletion of an account as a message."""
    return account_pb2.AccountDeletion(
        name=f"accountDeletions/{one.id}",
        state=account_pb2.AccountDeletionState.Value(f"ACCOUNT_DELETION_STATE_{one.state}"),
        request_time=timestamp(one.request_time),
        start_time=timestamp(one.start_time),
        cancel_time=timestamp(one.cancel_time),
        keys_destroy_time=timestamp(one.keys_destroy_time),
        complete_time=timestamp(one.complete_time),
        stores=map(_store_purge, stores),
    )


def data_store(store: DataStore, language: str) -> data_map_pb2.DataStore:
    """Return a row of the data map as a message, in a language."""
    return data_map_pb2.DataStore(
        name=store.name,
        service=store.service,
        kind=data_map_pb2.DataStoreKind.Value(f"DATA_STORE_KIND_{store.kind.upper()}"),
        holds=store.holds[language],
        purposes=map(_purpose, store.purposes),
        parent=store.parent,
        dies_by=store.dies_by[language],
    )


def _purpose(name: str) -> "purpose_pb2.Purpose.ValueType":
    return purpose_pb2.Purpose.Value(f"PURPOSE_{name}")


def _store_purge(report: StorePurge) -> erasure_pb2.StorePurge:
    return erasure_pb2.StorePurge(
        store=report.store,
        service=report.service,
        purged_count=report.purged_count,
        purge_time=timestamp(report.purge_time),
    )
