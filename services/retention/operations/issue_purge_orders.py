"""Issuing of purge orders: what destroyed purpose keys leave behind is ordered to be deleted."""

from collections.abc import Sequence
from datetime import datetime

from services.retention.domain.data_map import DataMap
from services.retention.domain.keys import DestroyedPurpose
from services.retention.domain.orders import purpose_orders
from services.retention.domain.revocation import Revocation
from services.retention.ports import Transaction


async def issue_purge_orders(
    transaction: Transaction,
    subject: str,
    destroyed: Sequence[DestroyedPurpose],
    now: datetime,
    data_map: DataMap,
) -> None:
    """Orders what destroyed purpose keys leave behind to be deleted, and tells the holders of keys."""
    for purpose in destroyed:
        await transaction.orders.add(purpose_orders(subject, purpose, data_map.media_services, now))
    if destroyed:
        await transaction.revoke([Revocation(subject, purposes=tuple(one.purpose for one in destroyed))])
