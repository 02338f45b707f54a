"""Creation of data keys, each no longer lived than the media that it derives from."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import uuid4

from services.retention.domain.keys import (
    DataKeyRequest,
    NewKeyRow,
    OpenKey,
    Purpose,
    PurposeKey,
    data_key_secret,
    ends_first,
    is_too_far,
    new_key,
    new_media,
)
from services.retention.errors import DeadlineTooFar, MediaErased, PurposeNotGranted
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.keys_at_hand import with_keys
from services.retention.operations.open_purpose import purpose_wrapper
from services.retention.ports import DataKeyWrapper, Transaction


async def create_data_keys(
    subject: str,
    purpose: Purpose,
    owner: str,
    requests: Sequence[DataKeyRequest],
    dependencies: Dependencies,
) -> tuple[list[OpenKey], int]:
    """Create data keys in the order asked for, and return them with the fencing number of their purpose's key.

    The purpose key's row is held until the new rows are stored, so a destruction comes before or after, never between.

    Raises:
        PurposeNotGranted: there is no live key for the purpose, or it does not cover when a media was taken.
        DeadlineTooFar: a delete-by time is in the past or beyond the longest retention.
        MediaErased: a media of a lineage is gone.
    """
    _refuse_too_far(requests, dependencies.clock.now(), dependencies.longest_days)
    create = partial(_create, subject, purpose, owner, requests, dependencies)
    return await with_keys(dependencies.epoch_keys, create)


async def _create(
    subject: str,
    purpose: Purpose,
    owner: str,
    requests: Sequence[DataKeyRequest],
    dependencies: Dependencies,
) -> tuple[list[OpenKey], int]:
    now = dependencies.clock.now()
    async with dependencies.store.transaction() as transaction:
        purpose_key = await transaction.purposes.share(subject, purpose, now)
        if purpose_key is None:
            raise PurposeNotGranted.of(purpose)
        _refuse_out_of_reach(requests, purpose_key)
        limited = await _limited(transaction, purpose_key, requests, now)
        wrapper = await purpose_wrapper(purpose_key, (), dependencies)
        opened = [OpenKey(str(uuid4()), new_key()) for _ in limited]
        # The purpose key's own epoch: it cannot end while the row of that key is held.
        epoch = purpose_key.wrapped.epoch
        rows = [_row(key, request, wrapper, epoch) for key, request in zip(opened, limited, strict=True)]
        await transaction.keys.add(purpose_key, owner, rows)
    return opened, purpose_key.revision


def _refuse_too_far(requests: Sequence[DataKeyRequest], now: datetime, longest_days: int) -> None:
    for index, request in enumerate(requests):
        if is_too_far(request.delete_time, now, longest_days):
            raise DeadlineTooFar.of(f"keys[{index}].delete_time", longest_days)


def _refuse_out_of_reach(requests: Sequence[DataKeyRequest], key: PurposeKey) -> None:
    for request in requests:
        if request.capture_time is not None and not key.covers(request.capture_time):
            raise PurposeNotGranted.so_far_back(key.purpose)


async def _limited(
    transaction: Transaction, key: PurposeKey, requests: Sequence[DataKeyRequest], now: datetime
) -> list[DataKeyRequest]:
    """Return the requests with their times brought forward: nothing outlives a media that it derives from."""
    media = {media for request in requests for media in request.lineage}
    ends = dict(await transaction.keys.ends(key.subject, media)) if media else {}
    for one, end in ends.items():
        if end <= now:
            raise MediaErased.of(one)
    arrivals = new_media(key.purpose, requests, ends)
    if arrivals:
        await transaction.keys.bring_in(key, arrivals)
    return [ends_first(request, ends) for request in requests]


def _row(key: OpenKey, request: DataKeyRequest, wrapper: DataKeyWrapper, epoch: str) -> NewKeyRow:
    secret = data_key_secret(key.key, request.capture_time)
    return NewKeyRow(key.id, wrapper.wrap(key.id, secret, epoch), request.delete_time, request.lineage)
