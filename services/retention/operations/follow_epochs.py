"""Following of epochs: a process that makes none wraps under the one that another process made."""

from services.retention.errors import NoLiveEpoch
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.missing_epochs import EPOCH_LIFE


async def follow_epochs(dependencies: Dependencies) -> None:
    """Wrap under the newest epoch that lives and whose key is there.

    Raises:
        NoLiveEpoch: there is none, yet.
    """
    async with dependencies.store.transaction() as transaction:
        living = await transaction.epochs.living(dependencies.clock.now() - EPOCH_LIFE)
    newest = next((epoch for epoch in reversed(living) if dependencies.epoch_keys.has(epoch)), None)
    if newest is None:
        raise NoLiveEpoch.yet()
    dependencies.epoch_keys.begin(newest)
