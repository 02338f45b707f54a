"""Purpose keys and data keys: granting, destroying, creating, opening."""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from uuid import uuid4

import structlog

from services.chassis.clock import Clock
from services.chassis.errors import DependencyUnavailable, FieldInvalid
from services.retention.data_map import DataMap
from services.retention.domain import (
    DataKeyRequest,
    DestroyedPurpose,
    NewKeyRow,
    OpenKey,
    Purpose,
    PurposeKey,
    Revocation,
    SealedKey,
    ends_first,
    is_too_far,
    key_revocations,
    media_name,
    new_media,
    purpose_orders,
)
from services.retention.errors import DeadlineTooFar, MediaErased, PurposeNotGranted, RevisionStale, SubjectErased
from services.retention.operations.ports import EpochGone, EpochKeys, Store, Transaction
from services.retention.wrapping import WrapBroken, Wrapper, new_key

_log = structlog.stdlib.get_logger()


@dataclasses.dataclass(frozen=True)
class Grant:
    """A decision for a purpose.

    Attributes:
        subject: The person's pseudonym.
        purpose: What for.
        revision: Consent revision of the decision.
        expire_time: When it ends by itself.
        decide_time: When the person decided.
        reach_back_time: OLDER_MEDIA only: media taken then or later are covered; None is without bound.
    """

    subject: str
    purpose: Purpose
    revision: int
    expire_time: datetime
    decide_time: datetime
    reach_back_time: datetime | None = None


async def grant_purpose_key(
    grant: Grant, *, store: Store, epoch_keys: EpochKeys, clock: Clock, data_map: DataMap
) -> int:
    """Creates the key of a purpose or prolongs the one that lives, and returns its fencing number.

    Raises:
        FieldInvalid: the grant has ended already.
        SubjectErased: everything of the person was erased since they decided.
        RevisionStale: a later decision is known, or this one was withdrawn.
    """
    now = clock.now()
    if grant.expire_time <= now:
        raise FieldInvalid.of("expire_time", "choose a time in the future")
    async with store.transaction() as transaction:
        await transaction.lock_subject(grant.subject)
        await _refuse_erased(transaction, grant)
        key = await _live_key(transaction, grant, now, data_map)
        await _refuse_stale(transaction, grant, key)
        key = await _granted(transaction, grant, key, epoch_keys)
        await transaction.purposes.put(key)
        await transaction.purposes.record_decision(grant.subject, [grant.purpose], grant.revision)
    return key.revision


async def get_purpose_key(subject: str, purpose: Purpose, *, store: Store, clock: Clock) -> PurposeKey:
    """Returns what holds for the key of a purpose.

    Raises:
        PurposeNotGranted: there is no live key for the purpose.
    """
    found = await store.sealed_keys(subject, purpose, (), clock.now())
    if found is None:
        raise PurposeNotGranted(purpose)
    return found[0]


async def destroy_purpose_keys(
    subject: str, purposes: Collection[Purpose], revision: int, *, store: Store, clock: Clock, data_map: DataMap
) -> datetime:
    """Destroys the keys of purposes and returns when; what does not exist is no error.

    The cost does not grow with what was sealed: the rows of data keys follow by an order to ourselves.
    """
    now = clock.now()
    async with store.transaction() as transaction:
        await transaction.lock_subject(subject)
        destroyed = await transaction.purposes.destroy(subject, purposes, revision)
        await transaction.purposes.record_decision(subject, purposes, revision)
        await order_purposes_away(transaction, subject, destroyed, now, data_map)
    return now


async def order_purposes_away(
    transaction: Transaction,
    subject: str,
    destroyed: Sequence[DestroyedPurpose],
    now: datetime,
    data_map: DataMap,
) -> None:
    """Orders what destroyed purpose keys leave behind to be deleted, and tells the holders of keys."""
    for purpose in destroyed:
        await transaction.orders.add(purpose_orders(subject, purpose, data_map.media_services, now))
    if destroyed:
        await transaction.revoke([Revocation(subject, purposes=tuple(one.purpose for one in destroyed))])


async def create_data_keys(
    subject: str,
    purpose: Purpose,
    owner: str,
    requests: Sequence[DataKeyRequest],
    *,
    store: Store,
    epoch_keys: EpochKeys,
    clock: Clock,
    longest_days: int,
) -> tuple[list[OpenKey], int]:
    """Creates data keys in the order asked for, and returns them with the fencing number of their purpose's key.

    The purpose key's row is held until the new rows are stored, so a destruction comes before or after, never between.

    Raises:
        PurposeNotGranted: there is no live key for the purpose.
        DeadlineTooFar: a delete-by time is in the past or beyond the longest retention.
        MediaErased: a media of a lineage is gone.
    """
    now = clock.now()
    _refuse_too_far(requests, now, longest_days)
    async with store.transaction() as transaction:
        purpose_key = await transaction.purposes.share(subject, purpose, now)
        if purpose_key is None:
            raise PurposeNotGranted(purpose)
        limited = await _limited(transaction, purpose_key, requests, now)
        wrapper = _unwrapped(purpose_key, epoch_keys)
        opened = [OpenKey(str(uuid4()), new_key()) for _ in limited]
        rows = [_row(key, request, purpose, wrapper) for key, request in zip(opened, limited, strict=True)]
        await transaction.keys.add(purpose_key, owner, rows)
    return opened, purpose_key.revision


async def open_data_keys(
    subject: str, purpose: Purpose, ids: Collection[str], *, store: Store, epoch_keys: EpochKeys, clock: Clock
) -> tuple[list[OpenKey], int]:
    """Opens those of the data keys that live, and returns them with the fencing number of their purpose's key.

    The purpose key and the data keys are read at one moment that lies after the start of the call, so a call that
    starts after a destruction has returned opens nothing. No row is locked: it would make every read a write, and an
    answer on its way when a key is destroyed is dropped by its receiver, which hears of the destruction.

    Raises:
        PurposeNotGranted: there is no live key for the purpose.
    """
    found = await store.sealed_keys(subject, purpose, ids, clock.now())
    if found is None:
        raise PurposeNotGranted(purpose)
    purpose_key, sealed = found
    wrapper = _unwrapped(purpose_key, epoch_keys)
    return list(_opened(sealed, purpose, wrapper)), purpose_key.revision


async def destroy_data_keys(subject: str, owner: str, ids: Collection[str], *, store: Store) -> int:
    """Destroys data keys that a service owns, and returns how many there were."""
    async with store.transaction() as transaction:
        destroyed = await transaction.keys.destroy(subject, owner, ids)
        await transaction.revoke(key_revocations(destroyed))
    return len(destroyed)


async def _refuse_erased(transaction: Transaction, grant: Grant) -> None:
    erased_at = await transaction.erasures.subject_erased_at(grant.subject)
    if erased_at is not None and grant.decide_time <= erased_at:
        raise SubjectErased


async def _live_key(transaction: Transaction, grant: Grant, now: datetime, data_map: DataMap) -> PurposeKey | None:
    """Returns the key if it lives; one whose grant has ended dies here, before the clock loop finds it."""
    key = await transaction.purposes.get(grant.subject, grant.purpose)
    if key is None or key.expire_time > now:
        return key
    destroyed = await transaction.purposes.destroy(grant.subject, [grant.purpose], key.consent_revision)
    await order_purposes_away(transaction, grant.subject, destroyed, now, data_map)
    return None


async def _refuse_stale(transaction: Transaction, grant: Grant, key: PurposeKey | None) -> None:
    last = await transaction.purposes.last_decision(grant.subject, grant.purpose)
    repeats = key is not None and key.consent_revision == grant.revision
    if last is not None and grant.revision <= last and not repeats:
        raise RevisionStale(grant.purpose, revision=grant.revision, current=last)


async def _granted(transaction: Transaction, grant: Grant, key: PurposeKey | None, epoch_keys: EpochKeys) -> PurposeKey:
    if key is not None:
        return dataclasses.replace(
            key,
            consent_revision=grant.revision,
            expire_time=grant.expire_time,
            reach_back_time=grant.reach_back_time,
        )
    revision = await transaction.purposes.next_revision()
    if not await transaction.epochs.lock_for_wrapping(epoch_keys.newest):
        raise DependencyUnavailable("no epoch key lives: the clock loop makes one", metadata={"dependency": "epochs"})
    aad = PurposeKey.aad_of(grant.subject, grant.purpose, revision)
    wrapped = epoch_keys.wrap(new_key(), aad)
    return PurposeKey(
        subject=grant.subject,
        purpose=grant.purpose,
        revision=revision,
        consent_revision=grant.revision,
        expire_time=grant.expire_time,
        wrapped=wrapped,
        reach_back_time=grant.reach_back_time,
    )


def _refuse_too_far(requests: Sequence[DataKeyRequest], now: datetime, longest_days: int) -> None:
    for index, request in enumerate(requests):
        if is_too_far(request.delete_time, now, longest_days):
            raise DeadlineTooFar(f"keys[{index}].delete_time", longest_days)


async def _limited(
    transaction: Transaction, key: PurposeKey, requests: Sequence[DataKeyRequest], now: datetime
) -> list[DataKeyRequest]:
    """Returns the requests with their times brought forward: nothing outlives a media that it derives from."""
    media = {media for request in requests for media in request.lineage}
    ends = dict(await transaction.keys.ends(key.subject, media)) if media else {}
    for one, end in ends.items():
        if end <= now:
            raise MediaErased(media_name(one))
    arrivals = new_media(key.purpose, requests, ends)
    if arrivals:
        await transaction.keys.bring_in(key, arrivals)
    return [ends_first(request, ends) for request in requests]


def _unwrapped(key: PurposeKey, epoch_keys: EpochKeys) -> Wrapper:
    try:
        return Wrapper(epoch_keys.unwrap(key.wrapped, key.aad))
    except EpochGone:
        raise PurposeNotGranted(key.purpose) from None


def _row(key: OpenKey, request: DataKeyRequest, purpose: Purpose, wrapper: Wrapper) -> NewKeyRow:
    sealed = wrapper.wrap(key.key, _aad(key.id, purpose))
    return NewKeyRow(key.id, sealed, request.delete_time, request.lineage)


def _opened(sealed: Sequence[SealedKey], purpose: Purpose, wrapper: Wrapper) -> Iterator[OpenKey]:
    """Yields the keys in clear; one that was tampered with must not take the person's others along."""
    for key in sealed:
        try:
            yield OpenKey(key.id, wrapper.unwrap(key.sealed, _aad(key.id, purpose)))
        except WrapBroken:
            _log.error("data_key_broken", key=key.id)


def _aad(id_: str, purpose: Purpose) -> bytes:
    return f"{id_}|{purpose}".encode()
