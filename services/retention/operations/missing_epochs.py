"""Epochs whose keys are missing: one may be lost, but all of them, or several at once, are misplaced."""

from datetime import timedelta

from services.retention.domain.keys import NO_CONTEXT, Derivation
from services.retention.errors import EpochGone, EpochsMisplaced
from services.retention.operations.dependencies import Dependencies
from services.retention.ports import EpochKeys, Transaction

EPOCH_LIFE = timedelta(days=7)
"""An epoch key is destroyed this long after it was made; no backup can be opened after that."""


async def refuse_misplaced(transaction: Transaction, dependencies: Dependencies) -> list[str]:
    """Return the epochs that should live and whose key is missing or is another: what they wrap is lost.

    Raises:
        EpochsMisplaced: it is none of them that is there, or more than one is missing: rather the wrong folder. So is
            the newest alone where another tool may have put back keys of an earlier time. Those that an operator has
            given up by name do not count.
    """
    living = await transaction.epochs.living(dependencies.clock.now() - EPOCH_LIFE)
    keys = dependencies.epoch_keys
    keys.require([Derivation(epoch, NO_CONTEXT) for epoch in living])
    missing = [epoch for epoch, fingerprint in living.items() if not _is_there(epoch, fingerprint, keys)]
    unexpected = [epoch for epoch in missing if epoch not in dependencies.lost_epochs]
    went_back = keys.can_go_back and max(living, default="") in unexpected
    if len(unexpected) > 1 or (unexpected and missing == list(living)) or went_back:
        raise EpochsMisplaced.those(missing, keys.place)
    return missing


def _is_there(epoch: str, fingerprint: bytes | None, keys: EpochKeys) -> bool:
    try:
        found = keys.fingerprint(epoch)
    except EpochGone:
        return False
    return fingerprint is None or found == fingerprint
