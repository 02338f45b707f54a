"""Loss of purpose keys: their epoch is gone, so the person is asked again and what they sealed is deleted."""

from datetime import datetime

import structlog

from services.retention.domain.keys import PurposeKey
from services.retention.domain.orders import lost_purpose_orders
from services.retention.domain.revocation import Revocation
from services.retention.errors import EpochGone
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import ending
from services.retention.operations.keys_at_hand import with_keys
from services.retention.operations.missing_epochs import refuse_misplaced
from services.retention.ports import Transaction

_log = structlog.stdlib.get_logger()


async def lose_purpose(key: PurposeKey, dependencies: Dependencies) -> None:
    """Destroy what is left of a purpose key, unless it can be opened after all or another one has taken its place."""
    await with_keys(dependencies.epoch_keys, lambda: _lose(key, dependencies))


async def _lose(key: PurposeKey, dependencies: Dependencies) -> None:
    async with ending(dependencies) as transaction:
        await transaction.lock_subject(key.subject)
        present = await transaction.purposes.get(key.subject, key.purpose)
        if present is not None and present.revision == key.revision and is_lost(present, dependencies):
            await destroy_lost(transaction, present, dependencies.clock.now(), dependencies)


def is_lost(key: PurposeKey, dependencies: Dependencies) -> bool:
    """Tell whether a purpose key cannot be opened any more."""
    try:
        dependencies.epoch_keys.unwrap(key.wrapped, key.aad)
    except EpochGone:
        return True
    return False


async def destroy_lost(transaction: Transaction, key: PurposeKey, now: datetime, dependencies: Dependencies) -> None:
    """Destroy a lost purpose key in the running transaction, and tell all who must know.

    Raises:
        EpochsMisplaced: so many epochs are missing that the folder must be the wrong one.
    """
    await refuse_misplaced(transaction, dependencies)
    _log.error("purpose_key_lost", subject=key.subject, purpose=key.purpose)
    for lost in await transaction.purposes.destroy(key.subject, [key.purpose], key.consent_revision):
        services = dependencies.data_map.media_services
        await transaction.orders.add(lost_purpose_orders(key.subject, lost, services, now))
    await transaction.revoke([Revocation(key.subject, purposes=(key.purpose,))])
