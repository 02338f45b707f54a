"""Rotation of epochs: a new one each day, every purpose key wrapped under it, old ones destroyed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import structlog

from services.retention.domain.keys import NO_CONTEXT, Derivation, PurposeKey, context_of
from services.retention.errors import EpochGone
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import ending
from services.retention.operations.keys_at_hand import at_hand, with_keys
from services.retention.operations.lose_purpose import lose_purpose
from services.retention.operations.missing_epochs import EPOCH_LIFE, refuse_misplaced
from services.retention.operations.wrap_data_keys import wrap_all_data_keys
from services.retention.ports import EpochKeys, Transaction

BATCH = 1000
"""Purpose keys wrapped anew in one transaction."""

_log = structlog.stdlib.get_logger()


async def rotate_epochs(dependencies: Dependencies) -> None:
    """Make today's epoch, wrap every purpose key under it, then destroy the epochs that are over.

    The order is what keeps a key from being left under a destroyed epoch; every step may be repeated. What a lost key
    of today wraps goes before another one takes its place, which after an interruption would hide that it was lost.

    Raises:
        EpochsMisplaced: so many epochs are missing that the folder must be the wrong one; nothing was changed.
    """
    now = dependencies.clock.now()
    today = now.date().isoformat()
    await dependencies.epoch_keys.look()
    missing = await with_keys(dependencies.epoch_keys, lambda: _missing(dependencies))
    if today in missing and await _is_lost(today, dependencies):
        await _lose_today(today, dependencies)
    await _begin_epoch(today, now, dependencies, anew=today in missing)
    for lost in await _wrap_anew(today, dependencies):
        await lose_purpose(lost, dependencies)
    for epoch in missing:
        await _lose_epoch(epoch, today, now, dependencies)
    await _destroy_old_epochs(now, dependencies)


async def _missing(dependencies: Dependencies) -> list[str]:
    async with dependencies.store.transaction() as transaction:
        dependencies.epoch_keys.shun(await transaction.epochs.gone())
        return await refuse_misplaced(transaction, dependencies)


async def _is_lost(epoch: str, dependencies: Dependencies) -> bool:
    """Tell whether the key of a missing epoch is gone or another's; one that does not open is an operator's to mend."""
    keys = dependencies.epoch_keys
    return await at_hand(keys, lambda: keys.has(epoch) or epoch not in keys.all())


async def _lose_today(today: str, dependencies: Dependencies) -> None:
    """Destroy what today's epoch wraps, whose key is lost: every purpose key, and data keys of others."""
    dependencies.epoch_keys.begin(today)
    after = ("", "")
    while keys := await _purpose_keys(after, dependencies):
        for key in keys:
            if key.wrapped.epoch == today:
                await lose_purpose(key, dependencies)
        after = (keys[-1].subject, keys[-1].purpose)
    await wrap_all_data_keys(today, dependencies)


async def _purpose_keys(after: tuple[str, str], dependencies: Dependencies) -> list[PurposeKey]:
    async with dependencies.store.transaction() as transaction:
        return await transaction.purposes.outside_epoch("", after, BATCH)


async def _begin_epoch(epoch: str, now: datetime, dependencies: Dependencies, *, anew: bool) -> None:
    keys = dependencies.epoch_keys
    await keys.ensure(epoch)
    fingerprints = await at_hand(keys, lambda: _fingerprints(keys))
    async with dependencies.store.transaction() as transaction:
        await transaction.epochs.add(epoch, now, fingerprints[epoch])
        if anew:
            await transaction.epochs.renew(epoch, fingerprints[epoch])
        await _adopt(transaction, fingerprints)
    if keys.newest < epoch:
        keys.begin(epoch)
        _log.info("epoch_begun", epoch=epoch)


def _fingerprints(keys: EpochKeys) -> dict[str, bytes]:
    """Return the fingerprints of all epochs whose keys are there and open."""
    keys.require([Derivation(epoch, NO_CONTEXT) for epoch in keys.all()])
    return {epoch: keys.fingerprint(epoch) for epoch in keys.all() if keys.has(epoch)}


async def _adopt(transaction: Transaction, fingerprints: Mapping[str, bytes]) -> None:
    """Record epochs that a restored database does not know: their keys must come to an end as well."""
    for epoch, fingerprint in fingerprints.items():
        made = datetime.fromisoformat(epoch).replace(tzinfo=UTC)
        await transaction.epochs.add(epoch, made, fingerprint)


async def _wrap_anew(done: str, dependencies: Dependencies) -> list[PurposeKey]:
    """Wrap under the newest epoch all keys but those of the one that is done, and return those that are lost."""
    lost: list[PurposeKey] = []
    after = ("", "")
    while True:
        keys, lost_ones = await with_keys(dependencies.epoch_keys, partial(_wrap_some, done, after, dependencies))
        lost += lost_ones
        if not keys:
            return lost
        after = (keys[-1].subject, keys[-1].purpose)


async def _wrap_some(
    done: str, after: tuple[str, str], dependencies: Dependencies
) -> tuple[list[PurposeKey], list[PurposeKey]]:
    """Wrap the next keys, and return them as they were, and those of them that are lost."""
    newest = dependencies.epoch_keys.newest
    async with dependencies.store.transaction() as transaction:
        keys = await transaction.purposes.outside_epoch(done, after, BATCH)
        epochs = [(key, epoch) for key in keys for epoch in (key.wrapped.epoch, newest)]
        dependencies.epoch_keys.require([Derivation(epoch, context_of(key.aad)) for key, epoch in epochs])
        return keys, [key for key in keys if not await _wrap_one(transaction, key, dependencies)]


async def _wrap_one(transaction: Transaction, key: PurposeKey, dependencies: Dependencies) -> bool:
    try:
        secret = dependencies.epoch_keys.unwrap(key.wrapped, key.aad)
    except EpochGone:
        return False
    await transaction.purposes.put(replace(key, wrapped=dependencies.epoch_keys.wrap(secret, key.aad)))
    return True


async def _lose_epoch(epoch: str, today: str, now: datetime, dependencies: Dependencies) -> None:
    """Destroy what an epoch wraps that was lost; today's is done with, and has another key by now."""
    _log.error("epoch_lost", epoch=epoch)
    if epoch != today:
        await _retire(epoch, now, dependencies)


async def _destroy_old_epochs(now: datetime, dependencies: Dependencies) -> None:
    async with dependencies.store.transaction() as transaction:
        due = await transaction.epochs.due(now - EPOCH_LIFE)
    for epoch in due:
        await _retire(epoch, now, dependencies)
    async with dependencies.store.transaction() as transaction:
        retired, gone = await transaction.epochs.destroyed(), await transaction.epochs.gone()
    dependencies.epoch_keys.shun(gone)
    for epoch in retired:
        if epoch not in gone:
            await _end(epoch, now, dependencies)
    for epoch in set(gone).intersection(await at_hand(dependencies.epoch_keys, dependencies.epoch_keys.all)):
        await _end_again(epoch, now, dependencies)


async def _end(epoch: str, now: datetime, dependencies: Dependencies) -> None:
    await dependencies.epoch_keys.end(epoch)
    async with ending(dependencies) as transaction:
        await transaction.epochs.mark_gone(epoch, now)


async def _end_again(epoch: str, now: datetime, dependencies: Dependencies) -> None:
    """Destroy a key that came back: somebody has a copy of it, and with it of what was said to be final."""
    _log.error("epoch_reappeared", epoch=epoch)
    async with dependencies.store.transaction() as transaction:
        await transaction.epochs.mark_reappeared(epoch, now)
    await dependencies.epoch_keys.end(epoch)


async def _retire(epoch: str, now: datetime, dependencies: Dependencies) -> None:
    """Record the end of an epoch first: no process wraps under it from then on; a crash only delays its key's end.

    An epoch that wraps what lives is kept, loudly: what a person keeps here must not die by a fault of ours.
    """
    await wrap_all_data_keys(epoch, dependencies)
    async with dependencies.store.transaction() as transaction:
        await transaction.epochs.lock_for_destruction(epoch)
        if await transaction.epochs.in_use(epoch, now):
            _log.error("epoch_still_in_use", epoch=epoch)
            return
        await transaction.epochs.mark_destroyed(epoch, now)
    _log.info("epoch_destroyed", epoch=epoch)
