"""Erasure on request: of one media, or of everything of a person."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from services.retention.domain.erasure import Erasure
from services.retention.domain.orders import PurgeCause, SubjectScope, key_orders, subject_orders
from services.retention.domain.revocation import Revocation, key_revocations
from services.retention.errors import MediaNotFound, RequestIdReused
from services.retention.operations.dependencies import Dependencies
from services.retention.ports import Transaction


async def erase_media(subject: str, media: UUID, request_id: UUID, dependencies: Dependencies) -> Erasure:
    """Destroys every key that derives from a media, and orders what they sealed to be deleted.

    Repeating it returns the first erasure.

    Raises:
        MediaNotFound: nothing of the person's is kept for it.
        RequestIdReused: the request id belongs to another erasure.
    """
    now = dependencies.clock.now()
    async with dependencies.store.transaction() as transaction:
        await transaction.lock_subject(subject)
        earlier = await _earlier(transaction, subject, request_id, media)
        earlier = earlier or await transaction.erasures.of_media(subject, media)
        return earlier or await _erase_media(
            transaction, _begun(subject, media, request_id, now), media, dependencies.data_map.media_services
        )


async def erase_everything(subject: str, request_id: UUID, dependencies: Dependencies) -> Erasure:
    """Destroys every purpose key of a person, and orders every service to delete what it has of them.

    Repeating it returns the first erasure. It succeeds for a person of whom nothing is kept as well.

    Raises:
        RequestIdReused: the request id belongs to another erasure.
    """
    now = dependencies.clock.now()
    async with dependencies.store.transaction() as transaction:
        await transaction.lock_subject(subject)
        earlier = await _earlier(transaction, subject, request_id, None)
        services = dependencies.data_map.personal_services
        return earlier or await _erase_everything(transaction, _begun(subject, None, request_id, now), services)


async def _earlier(transaction: Transaction, subject: str, request_id: UUID, media: UUID | None) -> Erasure | None:
    earlier = await transaction.erasures.by_request(subject, request_id)
    if earlier is not None and earlier.media != media:
        raise RequestIdReused.of(request_id)
    return earlier


def _begun(subject: str, media: UUID | None, request_id: UUID, now: datetime) -> Erasure:
    return Erasure(uuid4(), subject, request_id, media, request_time=now, keys_destroy_time=now)


async def _erase_media(transaction: Transaction, erasure: Erasure, media: UUID, services: Sequence[str]) -> Erasure:
    subject, now = erasure.subject, erasure.request_time
    await transaction.purposes.hold_all(subject)
    destroyed = await transaction.keys.destroy_derived(subject, [media])
    if not destroyed:
        raise MediaNotFound.of(media)
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
    await transaction.orders.add(subject_orders(subject, scope, services, now, erasure.id))
    await transaction.revoke([Revocation(subject, subject_erased=True)])
    return erasure
