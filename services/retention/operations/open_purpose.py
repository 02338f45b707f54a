"""Reading of purpose keys, and what unwraps under them."""

from services.retention.domain.keys import Purpose, PurposeKey
from services.retention.errors import EpochGone, PurposeNotGranted
from services.retention.operations.dependencies import Dependencies
from services.retention.ports import KeyWrapper


async def get_purpose_key(subject: str, purpose: Purpose, dependencies: Dependencies) -> PurposeKey:
    """Return what holds for the key of a purpose.

    Raises:
        PurposeNotGranted: there is no live key for the purpose, or it is lost.
    """
    found = await dependencies.store.sealed_keys(subject, purpose, (), dependencies.clock.now())
    if found is None:
        raise PurposeNotGranted.of(purpose)
    key, _ = found
    purpose_wrapper(key, dependencies)
    return key


def purpose_wrapper(key: PurposeKey, dependencies: Dependencies) -> KeyWrapper:
    """Return what wraps and unwraps data keys under a purpose key.

    Raises:
        PurposeNotGranted: its epoch is gone.
    """
    try:
        return dependencies.epoch_keys.wrapper(key.wrapped, key.aad)
    except EpochGone:
        raise PurposeNotGranted.of(key.purpose) from None
