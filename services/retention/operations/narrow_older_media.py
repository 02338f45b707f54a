"""Narrowing of OLDER_MEDIA: what was brought in and taken before the new bound goes as by a withdrawal."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from services.retention.domain.keys import PurposeKey, SealedKey, capture_time_of
from services.retention.domain.orders import PurgeCause, key_orders
from services.retention.domain.revocation import key_revocations
from services.retention.errors import EpochGone, WrapBroken
from services.retention.operations.dependencies import Dependencies
from services.retention.ports import DataKeyWrapper, Transaction


async def narrow_older_media(
    transaction: Transaction, key: PurposeKey, now: datetime, dependencies: Dependencies
) -> None:
    """Destroy the keys of media that the bound of a grant leaves out, and all that derives from them.

    Media of which it is not known when they were taken go too: phones send again what the grant still covers.
    """
    await transaction.purposes.hold_all(key.subject)
    media = await _left_out(transaction, key, dependencies)
    if not media:
        return
    destroyed = await transaction.keys.destroy_derived(key.subject, media)
    await transaction.keys.end(key.subject, media, now)
    services = dependencies.data_map.media_services
    await transaction.orders.add(key_orders(destroyed, services, PurgeCause.WITHDRAWAL, now))
    await transaction.revoke(key_revocations(destroyed))


async def _left_out(transaction: Transaction, key: PurposeKey, dependencies: Dependencies) -> list[UUID]:
    """Return the media that came in under the grant and that its bound does not cover."""
    found = await transaction.keys.of_media(key)
    wrapper = dependencies.epoch_keys.data_keys(key, {sealed.wrapped.epoch for _, sealed in found})
    taken: defaultdict[UUID, set[datetime]] = defaultdict(set)
    for media, sealed in found:
        taken[media] |= _capture_time(sealed, wrapper)
    return [media for media, times in taken.items() if not key.covers(min(times, default=None))]


def _capture_time(sealed: SealedKey, wrapper: DataKeyWrapper) -> set[datetime]:
    try:
        time = capture_time_of(wrapper.unwrap(sealed.id, sealed.wrapped))
    except (EpochGone, WrapBroken):
        return set()
    return set() if time is None else {time}
