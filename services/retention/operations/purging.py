"""Purge orders: handing them out, taking reports, and carrying out our own."""

from collections.abc import Mapping
from uuid import UUID

from services.chassis.clock import Clock
from services.retention.data_map import DataMap
from services.retention.domain import (
    OWN_NAME,
    DestroyedPurpose,
    PurgeCause,
    PurgeOrder,
    Purpose,
    PurposeScope,
    SubjectScope,
    key_orders,
    key_revocations,
    older_media,
)
from services.retention.errors import PurgeOrderNotFound
from services.retention.operations.ports import Store, Transaction

BATCH = 1000
"""Rows deleted in one transaction."""
_OWN_STORE = "retention.table.data_key"


async def list_purge_orders(service: str, *, after: int, limit: int, store: Store) -> list[tuple[int, PurgeOrder]]:
    """Returns outstanding orders of a service by number, the oldest first."""
    async with store.transaction() as transaction:
        return await transaction.orders.outstanding(service, after, limit)


async def complete_purge_order(
    service: str, order: UUID, purged: Mapping[str, int], *, store: Store, clock: Clock
) -> None:
    """Takes the report that an order was carried out; a repeated one changes nothing.

    Raises:
        PurgeOrderNotFound: no order of this name is addressed to the service.
    """
    async with store.transaction() as transaction:
        found = await transaction.orders.hold(order, service)
        if found is None:
            raise PurgeOrderNotFound(f"purgeOrders/{order}")
        if found.complete_time is None:
            await transaction.orders.report(order, purged)
            await _complete(transaction, found, clock)


async def carry_out_own_order(*, store: Store, clock: Clock, data_map: DataMap) -> bool:
    """Deletes a batch of the rows that a destruction left behind, and tells whether there was any order."""
    async with store.transaction() as transaction:
        order = await transaction.orders.next_of(OWN_NAME)
        if order is None:
            return False
        deleted = await _delete_batch(transaction, order, clock, data_map)
        await transaction.orders.report(order.id, {_OWN_STORE: deleted})
        if deleted < BATCH:
            await _complete(transaction, order, clock)
    return True


async def _delete_batch(transaction: Transaction, order: PurgeOrder, clock: Clock, data_map: DataMap) -> int:
    # Erasures delete rows of the same person in another order: one at a time, or they could wait for each other.
    await transaction.lock_subject(order.subject)
    match order.scope:
        case PurposeScope(purpose=purpose, revision=revision):
            destroyed = DestroyedPurpose(purpose, revision)
            if purpose is Purpose.OLDER_MEDIA:
                await transaction.purposes.hold_all(order.subject)
            lineages = await transaction.keys.clear_purpose(order.subject, destroyed, BATCH)
            if purpose is Purpose.OLDER_MEDIA:
                await _destroy_older(transaction, order.subject, older_media(lineages), clock, data_map)
            return len(lineages)
        case SubjectScope(revision=revision):
            return await transaction.keys.clear_subject(order.subject, revision, BATCH)
    return 0


async def _destroy_older(
    transaction: Transaction, subject: str, media: set[UUID], clock: Clock, data_map: DataMap
) -> None:
    """Destroys what other purposes learnt from media that came in under OLDER_MEDIA, and lets nothing new derive."""
    now = clock.now()
    destroyed = await transaction.keys.destroy_derived(subject, media)
    await transaction.keys.end(subject, media, now)
    await transaction.orders.add(key_orders(destroyed, data_map.media_services, PurgeCause.WITHDRAWAL, now))
    await transaction.revoke(key_revocations(destroyed))


async def _complete(transaction: Transaction, order: PurgeOrder, clock: Clock) -> None:
    await transaction.orders.complete(order.id, clock.now())
    if order.erasure is not None:
        await transaction.erasures.finish(order.erasure, clock.now())
