"""Rotation of epochs: a new one each day, every purpose key wrapped under it, old ones destroyed."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from services.retention.domain.keys import PurposeKey
from services.retention.errors import EpochGone
from services.retention.operations.dependencies import Dependencies
from services.retention.ports import Transaction

BATCH = 1000
"""Purpose keys wrapped anew in one transaction."""
EPOCH_LIFE = timedelta(days=7)
"""An epoch key is destroyed this long after it was made; no backup can be opened after that."""

_log = structlog.stdlib.get_logger()


async def rotate_epochs(dependencies: Dependencies) -> None:
    """Makes today's epoch, wraps every purpose key under it, then destroys the epochs that are over.

    The order is what keeps a purpose key from being left under a destroyed epoch; every step may be repeated.
    """
    now = dependencies.clock.now()
    today = now.date().isoformat()
    if dependencies.epoch_keys.newest < today:
        await _begin_epoch(today, now, dependencies)
    await _wrap_anew(dependencies)
    await _destroy_old_epochs(now, dependencies)


async def _begin_epoch(epoch: str, now: datetime, dependencies: Dependencies) -> None:
    dependencies.epoch_keys.make(epoch)
    async with dependencies.store.transaction() as transaction:
        await transaction.epochs.add(epoch, now)
    dependencies.epoch_keys.begin(epoch)
    _log.info("epoch_begun", epoch=epoch)


async def _wrap_anew(dependencies: Dependencies) -> None:
    after = ("", "")
    while True:
        async with dependencies.store.transaction() as transaction:
            keys = await transaction.purposes.outside_epoch(dependencies.epoch_keys.newest, after, BATCH)
            for key in keys:
                await _wrap_one(transaction, key, dependencies)
        if not keys:
            return
        after = (keys[-1].subject, keys[-1].purpose)


async def _wrap_one(transaction: Transaction, key: PurposeKey, dependencies: Dependencies) -> None:
    try:
        secret = dependencies.epoch_keys.unwrap(key.wrapped, key.aad)
    except EpochGone:
        _log.error("purpose_key_lost", subject=key.subject, purpose=key.purpose)
        return
    await transaction.purposes.put(replace(key, wrapped=dependencies.epoch_keys.wrap(secret, key.aad)))


async def _destroy_old_epochs(now: datetime, dependencies: Dependencies) -> None:
    async with dependencies.store.transaction() as transaction:
        due = await transaction.epochs.due(now - EPOCH_LIFE)
    for epoch in due:
        await _retire(epoch, now, dependencies)
    async with dependencies.store.transaction() as transaction:
        retired = await transaction.epochs.destroyed()
    for epoch in retired:
        dependencies.epoch_keys.destroy(epoch)


async def _retire(epoch: str, now: datetime, dependencies: Dependencies) -> None:
    """Record the end of an epoch first: no process wraps under it from then on; a crash only delays its key's end."""
    async with dependencies.store.transaction() as transaction:
        await transaction.epochs.lock_for_destruction(epoch)
        if await transaction.epochs.in_use(epoch):
            _log.error("epoch_still_in_use", epoch=epoch)
            return
        await transaction.epochs.mark_destroyed(epoch, now)
    _log.info("epoch_destroyed", epoch=epoch)
