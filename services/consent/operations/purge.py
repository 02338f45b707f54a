"""Purge executor: the erasure of a whole person deletes what is written down about them."""

from collections.abc import Mapping

from services.consent.operations.dependencies import Dependencies
from services.consent.operations.reconcile import reconcile
from services.keyring import PurgeOrder, SubjectScope


async def execute(order: PurgeOrder, dependencies: Dependencies) -> Mapping[str, int]:
    """Delete what an order asks for, and return how many rows of each store; only whole persons concern this service.

    Decisions are not made for a purpose, but about it: they outlive the purpose's end and die with the person.

    Raises:
        DependencyUnavailable: the key service does not answer; the order stays outstanding.
    """
    if not isinstance(order.scope, SubjectScope):
        return {}
    async with dependencies.store.locked(order.subject) as ledger:
        await reconcile(ledger, order.subject, dependencies)
        deleted = await ledger.purge(order.scope.erase_time)
        # A later grant may have lost what it builds on.
        await reconcile(ledger, order.subject, dependencies)
    return deleted
