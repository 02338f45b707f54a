"""Reading of purpose keys, and what unwraps under them."""

from collections.abc import Collection

from services.retention.domain.keys import Purpose, PurposeKey
from services.retention.domain.readers import Reader
from services.retention.errors import EpochGone, PurposeNotGranted
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.keys_at_hand import with_keys
from services.retention.operations.missing_epochs import refuse_misplaced
from services.retention.ports import DataKeyWrapper

_NO_READER = Reader("")
"""No data key is asked for."""


async def get_purpose_key(subject: str, purpose: Purpose, dependencies: Dependencies) -> PurposeKey:
    """Return what holds for the key of a purpose.

    Raises:
        PurposeNotGranted: there is no live key for the purpose, or it is lost.
        EpochsMisplaced: no key can be opened here.
    """
    found = await dependencies.store.sealed_keys(subject, purpose, (), _NO_READER, dependencies.clock.now())
    if found is None:
        raise PurposeNotGranted.of(purpose)
    key = found.purpose_key
    await with_keys(dependencies.epoch_keys, lambda: purpose_wrapper(key, (), dependencies))
    return key


async def purpose_wrapper(key: PurposeKey, epochs: Collection[str], dependencies: Dependencies) -> DataKeyWrapper:
    """Return what wraps and unwraps data keys under a purpose key, with the epochs of these at hand.

    Raises:
        PurposeNotGranted: its epoch is gone.
        EpochsMisplaced: so are others.
    """
    try:
        return dependencies.epoch_keys.data_keys(key, epochs)
    except EpochGone:
        async with dependencies.store.transaction() as transaction:
            await refuse_misplaced(transaction, dependencies)
        raise PurposeNotGranted.of(key.purpose) from None
