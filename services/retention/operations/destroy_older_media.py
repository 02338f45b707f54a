"""Destruction of what other purposes learnt from media that came in under OLDER_MEDIA, when that was withdrawn."""

from services.retention.domain.keys import Purpose
from services.retention.domain.orders import PurgeCause, key_orders
from services.retention.domain.revocation import key_revocations
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import destroying

BATCH = 1000
"""Media in one transaction."""


async def destroy_older_media(subject: str, dependencies: Dependencies) -> None:
    """Destroy every key that derives from media whose key of OLDER_MEDIA is gone; nothing new derives from them.

    It comes after that key's own destruction, which fails for nothing that happens here.
    """
    while await _destroy_some(subject, dependencies) == BATCH:
        pass


async def _destroy_some(subject: str, dependencies: Dependencies) -> int:
    now = dependencies.clock.now()
    async with destroying(dependencies) as transaction:
        await transaction.lock_subject(subject)
        await transaction.purposes.hold_all(subject)
        media = await transaction.keys.orphans_of(subject, Purpose.OLDER_MEDIA, now, BATCH)
        destroyed = await transaction.keys.destroy_derived(subject, media)
        await transaction.keys.end(subject, media, now)
        services = dependencies.data_map.media_services
        await transaction.orders.add(key_orders(destroyed, services, PurgeCause.WITHDRAWAL, now))
        await transaction.revoke(key_revocations(destroyed))
    return len(media)
