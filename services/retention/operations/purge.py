"""Purge executor: the orders to ourselves, about the rows that a destruction left behind."""

from uuid import UUID

from services.retention.domain.keys import DestroyedPurpose, Purpose, older_media
from services.retention.domain.orders import OWN_NAME, PurgeOrder, PurposeScope, SubjectScope, key_orders
from services.retention.domain.revocation import key_revocations
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import ending
from services.retention.operations.purge_orders import complete
from services.retention.ports import Transaction

BATCH = 1000
"""Rows deleted in one transaction."""
_OWN_STORE = "retention.table.data_key"


async def execute(dependencies: Dependencies) -> bool:
    """Delete a batch of the rows that a destruction left behind, and tell whether there was any order."""
    async with ending(dependencies) as transaction:
        order = await transaction.orders.next_of(OWN_NAME)
        if order is None:
            return False
        deleted = await _delete_batch(transaction, order, dependencies)
        await transaction.orders.report(order.id, {_OWN_STORE: deleted})
        if deleted < BATCH:
            await complete(transaction, order, dependencies.clock.now())
    return True


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
                await _destroy_older(transaction, order, older_media(lineages), dependencies)
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
