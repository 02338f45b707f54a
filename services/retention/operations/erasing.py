"""Erasure on request, and deadlines that are brought forward."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from services.chassis.clock import Clock
from services.retention.data_map import DataMap
from services.retention.domain import (
    OWN_NAME,
    Erasure,
    PurgeCause,
    PurgeOrder,
    Revocation,
    StorePurge,
    SubjectScope,
    is_too_far,
    key_orders,
    key_revocations,
    media_name,
)
from services.retention.errors import (
    DeadlineNotShorter,
    DeadlineTooFar,
    ErasureNotFound,
    MediaNotFound,
    RequestIdReused,
)
from services.retention.operations.ports import Store, Transaction


async def erase_media(
    subject: str, media: UUID, request_id: UUID, *, store: Store, clock: Clock, data_map: DataMap
) -> Erasure:
    """Destroys every key that derives from a media, and orders what they sealed to be deleted.

    Repeating it returns the first erasure.

    Raises:
        MediaNotFound: nothing of the person's is kept for it.
        RequestIdReused: the request id belongs to another erasure.
    """
    now = clock.now()
    async with store.transaction() as transaction:
        await transaction.lock_subject(subject)
        earlier = await _earlier(transaction, subject, request_id, media)
        earlier = earlier or await transaction.erasures.of_media(subject, media)
        return earlier or await _erase_media(
            transaction, _begun(subject, media, request_id, now), media, data_map.media_services
        )


async def erase_everything(subject: str, request_id: UUID, *, store: Store, clock: Clock, data_map: DataMap) -> Erasure:
    """Destroys every purpose key of a person, and orders every service to delete what it has of them.

    Repeating it returns the first erasure. It succeeds for a person of whom nothing is kept as well.

    Raises:
        RequestIdReused: the request id belongs to another erasure.
    """
    now = clock.now()
    async with store.transaction() as transaction:
        await transaction.lock_subject(subject)
        earlier = await _earlier(transaction, subject, request_id, None)
        services = data_map.personal_services
        return earlier or await _erase_everything(transaction, _begun(subject, None, request_id, now), services)


async def shorten_deadline(
    subject: str, media: UUID, delete_time: datetime, *, store: Store, clock: Clock, longest_days: int
) -> int:
    """Brings the end of a media and all that derives from it forward, and returns how many keys changed.

    Raises:
        DeadlineTooFar: the time is in the past or beyond the longest retention.
        MediaNotFound: nothing of the person's is kept for it.
        DeadlineNotShorter: all of it ends earlier already.
    """
    if is_too_far(delete_time, clock.now(), longest_days):
        raise DeadlineTooFar("delete_time", longest_days)
    async with store.transaction() as transaction:
        await transaction.lock_subject(subject)
        await transaction.purposes.hold_all(subject)
        present = await transaction.keys.latest_delete_time(subject, media)
        if present is None:
            raise MediaNotFound(media_name(media))
        if delete_time > present:
            raise DeadlineNotShorter(present)
        await transaction.keys.end(subject, [media], delete_time)
        return await transaction.keys.shorten(subject, media, delete_time)


async def get_erasure(
    subject: str, erasure: UUID, *, store: Store, data_map: DataMap
) -> tuple[Erasure, list[StorePurge]]:
    """Returns an erasure and what each store deleted.

    Raises:
        ErasureNotFound: the person has none of this name.
    """
    async with store.transaction() as transaction:
        found = await transaction.erasures.get(subject, erasure)
        if found is None:
            raise ErasureNotFound(f"erasures/{erasure}")
        reports = await transaction.erasures.reports([erasure])
    return found, purge_table(reports.get(erasure, []), data_map)


async def list_erasures(
    subject: str, *, before: int, limit: int, store: Store, data_map: DataMap
) -> list[tuple[int, Erasure, list[StorePurge]]]:
    """Returns erasures by number, the newest first, with what each store deleted.

    Args:
        subject: The person's pseudonym.
        before: Only erasures with a lower number.
        limit: At most this many.
        store: The database.
        data_map: What stores there are.
    """
    async with store.transaction() as transaction:
        found = await transaction.erasures.page(subject, before, limit)
        reports = await transaction.erasures.reports([erasure.id for _, erasure in found])
    return [(number, one, purge_table(reports.get(one.id, []), data_map)) for number, one in found]


def purge_table(reports: Sequence[StorePurge], data_map: DataMap) -> list[StorePurge]:
    """Returns a row for each store of the services that have an order: the data map's, and any other reported.

    A service's stores are outstanding until all its orders are completed.

    Args:
        reports: A row for each order and store reported, and one with an empty store for each order without a report.
        data_map: What stores there are.
    """
    table: list[StorePurge] = []
    for service in sorted({report.service for report in reports}):
        of_service = [report for report in reports if report.service == service]
        times = [report.purge_time for report in of_service]
        done = None if None in times else max(time for time in times if time is not None)
        names = {report.store for report in of_service if report.store} | set(data_map.personal_stores(service))
        for store in sorted(names):
            count = sum(report.purged_count for report in of_service if report.store == store)
            table.append(StorePurge(store, service, count, done))
    return table


async def _earlier(transaction: Transaction, subject: str, request_id: UUID, media: UUID | None) -> Erasure | None:
    earlier = await transaction.erasures.by_request(subject, request_id)
    if earlier is not None and earlier.media != media:
        raise RequestIdReused(str(request_id))
    return earlier


def _begun(subject: str, media: UUID | None, request_id: UUID, now: datetime) -> Erasure:
    return Erasure(uuid4(), subject, request_id, media, request_time=now, keys_destroy_time=now)


async def _erase_media(transaction: Transaction, erasure: Erasure, media: UUID, services: Sequence[str]) -> Erasure:
    subject, now = erasure.subject, erasure.request_time
    await transaction.purposes.hold_all(subject)
    destroyed = await transaction.keys.destroy_derived(subject, [media])
    if not destroyed:
        raise MediaNotFound(media_name(media))
    await transaction.keys.end(subject, [media], now)
    await transaction.erasures.add(erasure)
    await transaction.orders.add(key_orders(destroyed, services, PurgeCause.ERASURE, now, erasure.id))
    await transaction.revoke(key_revocations(destroyed))
    return erasure


async def _erase_everything(transaction: Transaction, erasure: Erasure, services: Sequence[str]) -> Erasure:
    subject, now = erasure.subject, erasure.request_time
    await transaction.purposes.hold_all(subject)
    scope = SubjectScope(await transaction.purposes.next_revision(), now)
    await transaction.purposes.destroy_all(subject)
    await transaction.erasures.mark_subject(subject, now)
    await transaction.erasures.add(erasure)
    await transaction.orders.add(
        [
            PurgeOrder(service, subject, PurgeCause.ERASURE, scope, now, erasure.id)
            for service in sorted({*services, OWN_NAME})
        ]
    )
    await transaction.revoke([Revocation(subject, subject_erased=True)])
    return erasure
