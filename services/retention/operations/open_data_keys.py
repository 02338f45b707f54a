"""Opening of data keys."""

from collections.abc import Collection, Iterator

import structlog

from services.retention.domain.keys import OpenKey, Purpose, SealedKeys, key_of
from services.retention.domain.readers import Reader
from services.retention.errors import EpochGone, PurposeNotGranted, WrapBroken
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.keys_at_hand import with_keys
from services.retention.operations.open_purpose import purpose_wrapper
from services.retention.ports import DataKeyWrapper

_log = structlog.stdlib.get_logger()


async def open_data_keys(
    subject: str, purpose: Purpose, ids: Collection[str], reader: Reader, dependencies: Dependencies
) -> tuple[list[OpenKey], int]:
    """Open those of the data keys that live and are the reader's, with the fencing number of their purpose's key.

    The purpose key and the data keys are read at one moment that lies after the start of the call, so a call that
    starts after a destruction has returned opens nothing. No row is locked: it would make every read a write, and an
    answer on its way when a key is destroyed is dropped by its receiver, which hears of the destruction.

    Raises:
        PurposeNotGranted: there is no live key for the purpose.
    """
    found = await dependencies.store.sealed_keys(subject, purpose, ids, reader, dependencies.clock.now())
    if found is None:
        raise PurposeNotGranted.of(purpose)
    return await with_keys(dependencies.epoch_keys, lambda: _open(found, dependencies)), found.purpose_key.revision


async def _open(found: SealedKeys, dependencies: Dependencies) -> list[OpenKey]:
    epochs = {key.wrapped.epoch for key in found.keys}
    return list(_opened(found, await purpose_wrapper(found.purpose_key, epochs, dependencies)))


def _opened(found: SealedKeys, wrapper: DataKeyWrapper) -> Iterator[OpenKey]:
    """Yield the keys in clear; one that is lost or was tampered with must not take the person's others along."""
    for key in found.keys:
        try:
            yield OpenKey(key.id, key_of(wrapper.unwrap(key.id, key.wrapped)))
        except EpochGone:
            _log.error("data_key_lost", key=key.id, epoch=key.wrapped.epoch)
        except WrapBroken:
            _log.error("data_key_broken", key=key.id)
