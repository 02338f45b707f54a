"""Wrapping of data keys anew: none that lives is left under an epoch that ends."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog

from services.retention.domain.keys import (
    FIRST_ID,
    NO_EPOCH,
    Derivation,
    Portion,
    PurposeKey,
    SealedKey,
    context_of,
)
from services.retention.domain.orders import PurgeCause, key_orders
from services.retention.domain.revocation import key_revocations
from services.retention.errors import EpochGone, NoLiveEpoch, WrapBroken
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import ending
from services.retention.operations.keys_at_hand import with_keys
from services.retention.operations.lose_purpose import lose_purpose
from services.retention.operations.missing_epochs import refuse_misplaced
from services.retention.ports import DataKeyWrapper, EpochKeys

BATCH = 500
"""Data keys wrapped anew in one transaction; an erasure of one of them waits for it."""
WRAP_AFTER = timedelta(days=4)
"""Age of an epoch from which its data keys are wrapped anew: days before its end, for an operator to help."""

_log = structlog.stdlib.get_logger()


@dataclass
class _Outcome:
    """What became of data keys that were looked at."""

    wrapped: list[SealedKey] = field(default_factory=list)
    lost: list[SealedKey] = field(default_factory=list)
    lost_purposes: list[PurposeKey] = field(default_factory=list)


async def wrap_next_data_keys(dependencies: Dependencies) -> bool:
    """Wrap anew a portion of the data keys whose epoch nears its end, and tell whether there was any."""
    async with dependencies.store.transaction() as transaction:
        ending_soon = await transaction.epochs.due(dependencies.clock.now() - WRAP_AFTER)
    for epoch in (NO_EPOCH, *ending_soon):
        portion = await _wrap_portion(epoch, FIRST_ID, dependencies)
        while portion.last and not portion.living:  # dead ones, which others delete, must not stand before the rest
            portion = await _wrap_portion(epoch, portion.last, dependencies)
        if portion.living:
            return True
    return False


async def wrap_all_data_keys(epoch: str, dependencies: Dependencies) -> None:
    """Wrap anew all data keys of an epoch that live; those that cannot be opened are destroyed as lost."""
    last = FIRST_ID
    while last:
        last = (await _wrap_portion(epoch, last, dependencies)).last


async def _wrap_portion(epoch: str, after: str, dependencies: Dependencies) -> Portion:
    """Wrap a portion anew, and return it as it was."""
    portion, outcome = await with_keys(dependencies.epoch_keys, partial(_wrap_rows, epoch, after, dependencies))
    for purpose_key in outcome.lost_purposes:
        await lose_purpose(purpose_key, dependencies)
    await _lose(outcome.lost, dependencies)
    return portion


async def _wrap_rows(epoch: str, after: str, dependencies: Dependencies) -> tuple[Portion, _Outcome]:
    newest, now = dependencies.epoch_keys.newest, dependencies.clock.now()
    async with dependencies.store.transaction() as transaction:
        if not await transaction.epochs.lock_for_wrapping(newest):
            raise NoLiveEpoch.yet()
        portion = await transaction.keys.under_epoch(epoch, after=after, now=now, limit=BATCH)
        _require(portion, {epoch, newest}, dependencies.epoch_keys)
        outcome = await _wrapped(portion, newest, dependencies)
        await transaction.keys.wrap_anew(outcome.wrapped)
    return portion, outcome


def _require(portion: Portion, epochs: set[str], epoch_keys: EpochKeys) -> None:
    purposes = [group.purpose_key for group in portion.living]
    wanted = [(key, epoch) for key in purposes for epoch in {key.wrapped.epoch, *epochs} - {NO_EPOCH}]
    epoch_keys.require([Derivation(epoch, context_of(key.aad)) for key, epoch in wanted])


async def _wrapped(portion: Portion, newest: str, dependencies: Dependencies) -> _Outcome:
    outcome = _Outcome()
    for group in portion.living:
        try:
            wrapper = dependencies.epoch_keys.data_keys(group.purpose_key)
        except EpochGone:
            outcome.lost_purposes.append(group.purpose_key)
            continue
        for key in group.keys:
            _wrap(key, wrapper, newest, outcome)
        await asyncio.sleep(0)  # calls go on between two persons
    return outcome


def _wrap(key: SealedKey, wrapper: DataKeyWrapper, newest: str, outcome: _Outcome) -> None:
    try:
        secret = wrapper.unwrap(key.id, key.wrapped)
    except (EpochGone, WrapBroken):
        outcome.lost.append(key)
        return
    try:
        outcome.wrapped.append(SealedKey(key.id, wrapper.wrap(key.id, secret, newest)))
    except EpochGone as error:
        raise NoLiveEpoch.yet() from error


async def _lose(lost: Sequence[SealedKey], dependencies: Dependencies) -> None:
    """Destroy data keys that cannot be opened any more, and order what they sealed to be deleted."""
    if not lost:
        return
    count = await with_keys(dependencies.epoch_keys, lambda: _destroy_lost(lost, dependencies))
    _log.error("data_keys_lost", count=count, epoch=lost[0].wrapped.epoch)


async def _destroy_lost(lost: Sequence[SealedKey], dependencies: Dependencies) -> int:
    now = dependencies.clock.now()
    async with ending(dependencies) as transaction:
        await refuse_misplaced(transaction, dependencies)
        destroyed = await transaction.keys.destroy_lost([key.id for key in lost])
        services = dependencies.data_map.media_services
        await transaction.orders.add(key_orders(destroyed, services, PurgeCause.KEY_LOST, now))
        await transaction.revoke(key_revocations(destroyed))
    return len(destroyed)
