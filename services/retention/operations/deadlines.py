"""Deadlines: keys whose time has come, and grants that have ended, are destroyed."""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import structlog

from services.chassis.failed_work.set_aside import Item
from services.chassis.failed_work.turns import Turns
from services.retention.domain.keys import DestroyedKey, Purpose
from services.retention.domain.orders import PurgeCause, key_orders
from services.retention.domain.revocation import key_revocations
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import ending
from services.retention.operations.issue_purge_orders import issue_purge_orders
from services.retention.ports import DataKeys

BATCH = 1000
"""Keys destroyed in one transaction."""

_log = structlog.stdlib.get_logger()


async def destroy_due_keys(turns: Turns, dependencies: Dependencies) -> None:
    """Destroy data keys whose time has come: many together, and one by one where that fails."""
    known = await turns.known()
    try:
        while await _destroy_due(dependencies, lambda keys, now: keys.destroy_due(now, BATCH, known)) == BATCH:
            pass
    except Exception as error:  # noqa: BLE001  # one of them may be to blame: the turns find out which
        _log.warning("due_keys_one_by_one", exc_info=error)
        await _destroy_one_by_one(turns, dependencies)
    else:
        if known:
            await _destroy_one_by_one(turns, dependencies)


async def destroy_expired_purposes(turns: Turns, dependencies: Dependencies) -> int:
    """Destroy purpose keys whose grant has ended, as a withdrawal does, and return how many."""

    async def expired(without: AbstractSet[str]) -> Sequence[tuple[str, str]]:
        async with dependencies.store.transaction() as transaction:
            return await transaction.purposes.expired(dependencies.clock.now(), BATCH, without)

    return await turns.take(
        expired, lambda key: Item("/".join(key), key[0]), lambda key: _destroy_expired(*key, dependencies)
    )


async def next_wake(dependencies: Dependencies) -> datetime | None:
    """Return the next time at which a key or a grant ends."""
    async with dependencies.store.transaction() as transaction:
        return await transaction.keys.next_time()


async def _destroy_one_by_one(turns: Turns, dependencies: Dependencies) -> None:
    async def due(without: AbstractSet[str]) -> Sequence[DestroyedKey]:
        async with dependencies.store.transaction() as transaction:
            return await transaction.keys.due(dependencies.clock.now(), BATCH, without)

    async def destroy(key: DestroyedKey) -> None:
        await _destroy_due(dependencies, lambda keys, now: keys.destroy_one_due(now, key.id))

    await turns.take(due, lambda key: Item(key.id, key.subject), destroy)


async def _destroy_due(
    dependencies: Dependencies, destroy: Callable[[DataKeys, datetime], Awaitable[list[DestroyedKey]]]
) -> int:
    """Destroy data keys in one transaction, with the orders that follow from it; return how many."""
    now = dependencies.clock.now()
    async with ending(dependencies) as transaction:
        destroyed = await destroy(transaction.keys, now)
        services = dependencies.data_map.media_services
        await transaction.orders.add(key_orders(destroyed, services, PurgeCause.DEADLINE, now))
        await transaction.revoke(key_revocations(destroyed))
    return len(destroyed)


async def _destroy_expired(subject: str, name: str, dependencies: Dependencies) -> None:
    purpose = Purpose(name)
    async with ending(dependencies) as transaction:
        await transaction.lock_subject(subject)
        present = await transaction.purposes.get(subject, purpose)
        if present is None or present.expire_time > dependencies.clock.now():
            return
        destroyed = await transaction.purposes.destroy(subject, [purpose], present.consent_revision)
        await issue_purge_orders(transaction, subject, destroyed, dependencies.clock.now(), dependencies.data_map)
