"""Purge executor: the orders to ourselves, about the rows that a destruction left behind."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from services.chassis.failed_work.set_aside import Item, SetAside
from services.chassis.failed_work.turns import Turns
from services.retention.domain.keys import DestroyedPurpose, Purpose, older_media
from services.retention.domain.orders import OWN_NAME, PurgeOrder, PurposeScope, SubjectScope, key_orders
from services.retention.domain.revocation import key_revocations
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import ending
from services.retention.operations.purge_orders import complete
from services.retention.ports import Transaction

BATCH = 1000
"""Rows deleted in one transaction."""
_ORDERS = 100
_OWN_STORE = "retention.table.data_key"


async def carry_out_orders(turns: Turns, set_aside: SetAside, dependencies: Dependencies) -> int:
    """Delete the rows that destructions left behind, order by order; return how many orders."""

    async def open_orders(without: AbstractSet[str]) -> Sequence[tuple[UUID, str]]:
        async with dependencies.store.transaction() as transaction:
            return await transaction.orders.open_ids(OWN_NAME, _ORDERS, without)

    async def carry_out(order: tuple[UUID, str]) -> None:
        while (left := await _delete_next(order[0], dependencies)) is not None:
            if isinstance(left.scope, SubjectScope):
                await set_aside.forget(left.subject)

    return await turns.take(open_orders, lambda order: Item(str(order[0]), order[1]), carry_out)


async def _delete_next(id_: UUID, dependencies: Dependencies) -> PurgeOrder | None:
    """Delete a batch of what an order is about; return it, or None when it is done or in other hands."""
    async with ending(dependencies) as transaction:
        order = await transaction.orders.hold_open(id_)
        if order is None:
            return None
        deleted = await _delete_batch(transaction, order, dependencies)
        await transaction.orders.report(order.id, {_OWN_STORE: deleted})
        if deleted < BATCH:
            await complete(transaction, order, dependencies.clock.now())
    return order


async def _delete_batch(transaction: Transaction, order: PurgeOrder, dependencies: Dependencies) -> int:
    # Erasures delete rows of the same person in another order: one at a time, or they could wait for each other.
    await transaction.lock_subject(order.subject)
    match order.scope:
        case PurposeScope(purpose=purpose, revision=revision):
            destroyed = DestroyedPurpose(purpose, revision)
            if purpose is Purpose.OLDER_MEDIA:
                await transaction.purposes.hold_all(order.subject)
            lineages = await transaction.keys.clear_purpose(order.subject, destroyed, BATCH)
            if purpose is Purpose.OLDER_MEDIA:
                media = await transaction.keys.came_in(order.subject, purpose, older_media(lineages))
                await _destroy_older(transaction, order, media, dependencies)
            return len(lineages)
        case SubjectScope(revision=revision):
            return await transaction.keys.clear_subject(order.subject, revision, BATCH)
    return 0


async def _destroy_older(
    transaction: Transaction, order: PurgeOrder, media: set[UUID], dependencies: Dependencies
) -> None:
    """Destroys what other purposes learnt from media that came in under OLDER_MEDIA, and lets nothing new derive."""
    now = dependencies.clock.now()
    destroyed = await transaction.keys.destroy_derived(order.subject, media)
    await transaction.keys.end(order.subject, media, now)
    await transaction.orders.add(key_orders(destroyed, dependencies.data_map.media_services, order.cause, now))
    await transaction.revoke(key_revocations(destroyed))
