"""Granting of purposes: the key of a purpose is created, or prolonged."""

from dataclasses import replace
from datetime import datetime

from services.chassis.errors import FieldInvalid
from services.retention.domain.keys import Grant, PurposeKey, new_key
from services.retention.errors import EpochGone, NoLiveEpoch, RevisionStale, SubjectErased
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import destroying
from services.retention.operations.issue_purge_orders import issue_purge_orders
from services.retention.operations.keys_at_hand import with_keys
from services.retention.operations.lose_purpose import destroy_lost, is_lost
from services.retention.operations.narrow_older_media import narrow_older_media
from services.retention.ports import EpochKeys, Transaction


async def grant_purpose_key(grant: Grant, dependencies: Dependencies) -> int:
    """Create the key of a purpose or prolongs the one that lives, and return its fencing number.

    Raises:
        FieldInvalid: the grant has ended already.
        SubjectErased: everything of the person was erased since they decided.
        RevisionStale: a later decision is known, or this one was withdrawn.
    """
    if grant.expire_time <= dependencies.clock.now():
        raise FieldInvalid.of("expire_time", "choose a time in the future")
    return await with_keys(dependencies.epoch_keys, lambda: _grant(grant, dependencies))


async def _grant(grant: Grant, dependencies: Dependencies) -> int:
    now = dependencies.clock.now()
    async with destroying(dependencies) as transaction:
        await transaction.lock_subject(grant.subject)
        await _refuse_erased(transaction, grant)
        earlier = await _live_key(transaction, grant, now, dependencies)
        await _refuse_stale(transaction, grant, earlier)
        key = await _granted(transaction, grant, earlier, dependencies.epoch_keys)
        await transaction.purposes.put(key)
        if earlier is not None and key.narrows(earlier):
            await narrow_older_media(transaction, key, now, dependencies)
        await transaction.purposes.record_decision(grant.subject, [grant.purpose], grant.revision)
    return key.revision


async def _refuse_erased(transaction: Transaction, grant: Grant) -> None:
    erased_at = await transaction.erasures.subject_erased_at(grant.subject)
    if erased_at is not None and grant.decide_time <= erased_at:
        raise SubjectErased.before_grant()


async def _live_key(
    transaction: Transaction, grant: Grant, now: datetime, dependencies: Dependencies
) -> PurposeKey | None:
    """Return the key if it lives; one that has ended or is lost dies here, before the clock loop finds it."""
    key = await transaction.purposes.get(grant.subject, grant.purpose)
    if key is None:
        return None
    if is_lost(key, dependencies):
        await destroy_lost(transaction, key, now, dependencies)
        return None
    if key.expire_time > now:
        return key
    destroyed = await transaction.purposes.destroy(grant.subject, [grant.purpose], key.consent_revision)
    await issue_purge_orders(transaction, grant.subject, destroyed, now, dependencies.data_map)
    return None


async def _refuse_stale(transaction: Transaction, grant: Grant, key: PurposeKey | None) -> None:
    last = await transaction.purposes.last_decision(grant.subject, grant.purpose)
    repeats = key is not None and key.consent_revision == grant.revision
    if last is not None and grant.revision <= last and not repeats:
        latest = await transaction.purposes.latest_decision(grant.subject)
        raise RevisionStale.of(grant.purpose, revision=grant.revision, current=latest)


async def _granted(transaction: Transaction, grant: Grant, key: PurposeKey | None, epoch_keys: EpochKeys) -> PurposeKey:
    if key is not None:
        return replace(
            key,
            consent_revision=grant.revision,
            expire_time=grant.expire_time,
            reach_back_time=grant.reach_back_time,
        )
    revision = await transaction.purposes.next_revision()
    if not await transaction.epochs.lock_for_wrapping(epoch_keys.newest):
        raise NoLiveEpoch.yet()
    try:
        wrapped = epoch_keys.wrap(new_key(), PurposeKey.aad_of(grant.subject, grant.purpose, revision))
    except EpochGone as error:
        raise NoLiveEpoch.yet() from error
    return PurposeKey(
        subject=grant.subject,
        purpose=grant.purpose,
        revision=revision,
        consent_revision=grant.revision,
        expire_time=grant.expire_time,
        wrapped=wrapped,
        reach_back_time=grant.reach_back_time,
    )
