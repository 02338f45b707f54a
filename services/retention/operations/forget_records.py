"""Forgetting of records that have outlived their use."""

from datetime import timedelta

from services.retention.operations.dependencies import Dependencies

TOMBSTONE_LIFE = timedelta(days=40)
"""Longer than any retention and any epoch: by then nothing can come in late and no backup can be opened."""
ORDER_LIFE = timedelta(days=7)
"""How long a completed order without an erasure is remembered, for a repeated report."""
ERASURE_LIFE = timedelta(days=365)
"""How long the record of a finished erasure is kept for the person to show."""
ACCOUNT_DELETION_LIFE = timedelta(days=60)
"""How long the record of a deleted account is kept for its owner to read."""


async def forget_records(dependencies: Dependencies) -> None:
    """Delete tombstones, completed orders and finished erasures that have outlived their use."""
    now = dependencies.clock.now()
    async with dependencies.store.transaction() as transaction:
        await transaction.forget(
            tombstones_until=now - TOMBSTONE_LIFE,
            orders_until=now - ORDER_LIFE,
            erasures_until=now - ERASURE_LIFE,
            accounts_until=now - ACCOUNT_DELETION_LIFE,
        )
