"""Opening of data keys."""

from collections.abc import Collection, Iterator, Sequence

import structlog

from services.retention.domain.keys import OpenKey, Purpose, SealedKey, data_key_aad
from services.retention.errors import PurposeNotGranted, WrapBroken
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.open_purpose import purpose_wrapper
from services.retention.ports import KeyWrapper

_log = structlog.stdlib.get_logger()


async def open_data_keys(
    subject: str, purpose: Purpose, ids: Collection[str], dependencies: Dependencies
) -> tuple[list[OpenKey], int]:
    """Open those of the data keys that live, and return them with the fencing number of their purpose's key.

    The purpose key and the data keys are read at one moment that lies after the start of the call, so a call that
    starts after a destruction has returned opens nothing. No row is locked: it would make every read a write, and an
    answer on its way when a key is destroyed is dropped by its receiver, which hears of the destruction.

    Raises:
        PurposeNotGranted: there is no live key for the purpose.
    """
    found = await dependencies.store.sealed_keys(subject, purpose, ids, dependencies.clock.now())
    if found is None:
        raise PurposeNotGranted.of(purpose)
    purpose_key, sealed = found
    wrapper = purpose_wrapper(purpose_key, dependencies)
    return list(_opened(sealed, purpose, wrapper)), purpose_key.revision


def _opened(sealed: Sequence[SealedKey], purpose: Purpose, wrapper: KeyWrapper) -> Iterator[OpenKey]:
    """Yield the keys in clear; one that was tampered with must not take the person's others along."""
    for key in sealed:
        try:
            yield OpenKey(key.id, wrapper.unwrap(key.sealed, data_key_aad(key.id, purpose)))
        except WrapBroken:
            _log.error("data_key_broken", key=key.id)
