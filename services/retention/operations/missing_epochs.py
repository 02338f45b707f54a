"""Epochs whose keys are missing: one may be lost, but all of them, or several at once, are misplaced."""

from datetime import timedelta

from services.retention.errors import EpochsMisplaced
from services.retention.operations.dependencies import Dependencies
from services.retention.ports import Transaction

EPOCH_LIFE = timedelta(days=7)
"""An epoch key is destroyed this long after it was made; no backup can be opened after that."""


async def refuse_misplaced(transaction: Transaction, dependencies: Dependencies) -> list[str]:
    """Return the epochs that should live and whose key is missing or does not open: what they wrap is lost.

    Raises:
        EpochsMisplaced: it is none of them that is there, or more than one is missing: rather the wrong folder.
            Those that an operator has given up by name do not count.
    """
    living = await transaction.epochs.living(dependencies.clock.now() - EPOCH_LIFE)
    missing = [epoch for epoch in living if not dependencies.epoch_keys.has(epoch)]
    unexpected = [epoch for epoch in missing if epoch not in dependencies.lost_epochs]
    if len(unexpected) > 1 or (unexpected and missing == living):
        raise EpochsMisplaced.of(missing)
    return missing
