"""Destruction of data keys by the service that owns them."""

from collections.abc import Collection

from services.retention.domain.revocation import key_revocations
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import destroying


async def destroy_data_keys(subject: str, owner: str, ids: Collection[str], dependencies: Dependencies) -> int:
    """Destroys data keys that a service owns, and returns how many there were."""
    async with destroying(dependencies) as transaction:
        destroyed = await transaction.keys.destroy(subject, owner, ids)
        await transaction.revoke(key_revocations(destroyed))
    return len(destroyed)
