"""Deadlines: keys whose time has come, and grants that have ended, are destroyed."""

from datetime import datetime

from services.retention.domain.keys import PurposeKey
from services.retention.domain.orders import PurgeCause, key_orders
from services.retention.domain.revocation import key_revocations
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import ending
from services.retention.operations.issue_purge_orders import issue_purge_orders

BATCH = 1000
"""Keys destroyed in one transaction."""


async def destroy_due_keys(dependencies: Dependencies) -> int:
    """Destroys data keys whose time has come, and returns how many."""
    total = 0
    while True:
        now = dependencies.clock.now()
        async with ending(dependencies) as transaction:
            destroyed = await transaction.keys.destroy_due(now, BATCH)
            await transaction.orders.add(
                key_orders(destroyed, dependencies.data_map.media_services, PurgeCause.DEADLINE, now)
            )
            await transaction.revoke(key_revocations(destroyed))
        total += len(destroyed)
        if len(destroyed) < BATCH:
            return total


async def destroy_expired_purposes(dependencies: Dependencies) -> int:
    """Destroys purpose keys whose grant has ended, as a withdrawal does, and returns how many."""
    async with dependencies.store.transaction() as transaction:
        expired = await transaction.purposes.expired(dependencies.clock.now(), BATCH)
    for key in expired:
        await _destroy_expired(key, dependencies)
    return len(expired)


async def next_wake(dependencies: Dependencies) -> datetime | None:
    """Return the next time at which a key or a grant ends."""
    async with dependencies.store.transaction() as transaction:
        return await transaction.keys.next_time()


async def _destroy_expired(key: PurposeKey, dependencies: Dependencies) -> None:
    async with ending(dependencies) as transaction:
        await transaction.lock_subject(key.subject)
        present = await transaction.purposes.get(key.subject, key.purpose)
        if present is None or present.expire_time > dependencies.clock.now():
            return
        destroyed = await transaction.purposes.destroy(key.subject, [key.purpose], present.consent_revision)
        await issue_purge_orders(transaction, key.subject, destroyed, dependencies.clock.now(), dependencies.data_map)
