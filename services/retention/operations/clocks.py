"""What time does: deadlines, grants that end, epochs, records that have outlived their use."""

import dataclasses
from datetime import datetime, timedelta

import structlog

from services.chassis.clock import Clock
from services.retention.data_map import DataMap
from services.retention.domain import PurgeCause, PurposeKey, key_orders, key_revocations
from services.retention.operations.keys import order_purposes_away
from services.retention.operations.ports import EpochGone, EpochKeys, Store, Transaction

BATCH = 1000
"""Data keys destroyed, or purpose keys wrapped anew, in one transaction."""

EPOCH_LIFE = timedelta(days=7)
"""An epoch key is destroyed this long after it was made; no backup can be opened after that."""
TOMBSTONE_LIFE = timedelta(days=40)
"""Longer than any retention and any epoch: by then nothing can come in late and no backup can be opened."""
ORDER_LIFE = timedelta(days=7)
"""How long a completed order without an erasure is remembered, for a repeated report."""
ERASURE_LIFE = timedelta(days=365)
"""How long the record of a finished erasure is kept for the person to show."""

_log = structlog.stdlib.get_logger()


async def destroy_due_keys(*, store: Store, clock: Clock, data_map: DataMap) -> int:
    """Destroys data keys whose time has come, and returns how many."""
    total = 0
    while True:
        now = clock.now()
        async with store.transaction() as transaction:
            destroyed = await transaction.keys.destroy_due(now, BATCH)
            await transaction.orders.add(key_orders(destroyed, data_map.media_services, PurgeCause.DEADLINE, now))
            await transaction.revoke(key_revocations(destroyed))
        total += len(destroyed)
        if len(destroyed) < BATCH:
            return total


async def destroy_expired_purposes(*, store: Store, clock: Clock, data_map: DataMap) -> int:
    """Destroys purpose keys whose grant has ended, as a withdrawal does, and returns how many."""
    async with store.transaction() as transaction:
        expired = await transaction.purposes.expired(clock.now(), BATCH)
    for key in expired:
        await _destroy_expired(key, store=store, clock=clock, data_map=data_map)
    return len(expired)


async def next_wake(*, store: Store) -> datetime | None:
    """Returns the next time at which a key or a grant ends."""
    async with store.transaction() as transaction:
        return await transaction.keys.next_time()


async def rotate_epochs(*, store: Store, epoch_keys: EpochKeys, clock: Clock) -> None:
    """Makes today's epoch, wraps every purpose key under it, then destroys the epochs that are over.

    The order is what keeps a purpose key from being left under a destroyed epoch; every step may be repeated.
    """
    now = clock.now()
    today = now.date().isoformat()
    if epoch_keys.newest < today:
        await _begin_epoch(today, now, store=store, epoch_keys=epoch_keys)
    await _wrap_anew(store=store, epoch_keys=epoch_keys)
    await _destroy_old_epochs(now, store=store, epoch_keys=epoch_keys)


async def forget_old_records(*, store: Store, clock: Clock) -> None:
    """Deletes tombstones, completed orders and finished erasures that have outlived their use."""
    now = clock.now()
    async with store.transaction() as transaction:
        await transaction.forget(
            tombstones_until=now - TOMBSTONE_LIFE,
            orders_until=now - ORDER_LIFE,
            erasures_until=now - ERASURE_LIFE,
        )


async def _destroy_expired(key: PurposeKey, *, store: Store, clock: Clock, data_map: DataMap) -> None:
    async with store.transaction() as transaction:
        await transaction.lock_subject(key.subject)
        present = await transaction.purposes.get(key.subject, key.purpose)
        if present is None or present.expire_time > clock.now():
            return
        destroyed = await transaction.purposes.destroy(key.subject, [key.purpose], present.consent_revision)
        await order_purposes_away(transaction, key.subject, destroyed, clock.now(), data_map)


async def _begin_epoch(epoch: str, now: datetime, *, store: Store, epoch_keys: EpochKeys) -> None:
    epoch_keys.make(epoch)
    async with store.transaction() as transaction:
        await transaction.epochs.add(epoch, now)
    epoch_keys.begin(epoch)
    _log.info("epoch_begun", epoch=epoch)


async def _wrap_anew(*, store: Store, epoch_keys: EpochKeys) -> None:
    after = ("", "")
    while True:
        async with store.transaction() as transaction:
            keys = await transaction.purposes.outside_epoch(epoch_keys.newest, after, BATCH)
            for key in keys:
                await _wrap_one(transaction, key, epoch_keys)
        if not keys:
            return
        after = (keys[-1].subject, keys[-1].purpose)


async def _wrap_one(transaction: Transaction, key: PurposeKey, epoch_keys: EpochKeys) -> None:
    try:
        secret = epoch_keys.unwrap(key.wrapped, key.aad)
    except EpochGone:
        _log.error("purpose_key_lost", subject=key.subject, purpose=key.purpose)
        return
    await transaction.purposes.put(dataclasses.replace(key, wrapped=epoch_keys.wrap(secret, key.aad)))


async def _destroy_old_epochs(now: datetime, *, store: Store, epoch_keys: EpochKeys) -> None:
    async with store.transaction() as transaction:
        due = await transaction.epochs.due(now - EPOCH_LIFE)
    for epoch in due:
        await _retire(epoch, now, store=store)
    async with store.transaction() as transaction:
        retired = await transaction.epochs.destroyed()
    for epoch in retired:
        epoch_keys.destroy(epoch)


async def _retire(epoch: str, now: datetime, *, store: Store) -> None:
    """Records the end of an epoch first: from then on nobody wraps under it, and a crash only delays the key's end."""
    async with store.transaction() as transaction:
        await transaction.epochs.lock_for_destruction(epoch)
        if await transaction.epochs.in_use(epoch):
            _log.error("epoch_still_in_use", epoch=epoch)
            return
        await transaction.epochs.mark_destroyed(epoch, now)
    _log.info("epoch_destroyed", epoch=epoch)
