"""Purge orders of other services: handed out, and reported on."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.retention.domain.orders import PurgeOrder
from services.retention.errors import PurgeOrderNotFound
from services.retention.operations.dependencies import Dependencies
from services.retention.ports import Transaction


async def list_purge_orders(
    service: str, *, after: int, limit: int, dependencies: Dependencies
) -> list[tuple[int, PurgeOrder]]:
    """Return outstanding orders of a service by number, the oldest first."""
    async with dependencies.store.transaction() as transaction:
        return await transaction.orders.outstanding(service, after, limit)


async def complete_purge_order(
    service: str, order: UUID, purged: Mapping[str, int], dependencies: Dependencies
) -> None:
    """Take the report that an order was carried out; a repeated one changes nothing.

    Raises:
        PurgeOrderNotFound: no order of this name is addressed to the service.
    """
    async with dependencies.store.transaction() as transaction:
        found = await transaction.orders.hold(order, service)
        if found is None:
            raise PurgeOrderNotFound.of(order)
        if found.complete_time is None:
            await transaction.orders.report(order, purged)
            await complete(transaction, found, dependencies.clock.now())


async def complete(transaction: Transaction, order: PurgeOrder, now: datetime) -> None:
    """Record that an order was carried out; the last one of an erasure or of an account's deletion finishes it."""
    await transaction.orders.complete(order.id, now)
    if order.erasure is not None:
        await transaction.erasures.finish(order.erasure, now)
    if order.account_deletion is not None:
        await transaction.accounts.finish(order.account_deletion, now)
