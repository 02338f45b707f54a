"""Following of epochs: a process that makes none wraps under the one that another process made."""

from services.retention.errors import NoLiveEpoch
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.keys_at_hand import at_hand
from services.retention.operations.missing_epochs import EPOCH_LIFE


async def follow_epochs(dependencies: Dependencies) -> None:
    """Wrap under the newest epoch that lives and whose key is there.

    Raises:
        NoLiveEpoch: there is none, yet.
    """
    keys = dependencies.epoch_keys
    async with dependencies.store.transaction() as transaction:
        living = await transaction.epochs.living(dependencies.clock.now() - EPOCH_LIFE)
        keys.shun(await transaction.epochs.gone())
    newest = await at_hand(keys, lambda: next((each for each in sorted(living, reverse=True) if keys.has(each)), None))
    if newest is None:
        raise NoLiveEpoch.yet()
    keys.begin(newest)
