"""Standing of the device that a feed names: seen, and followed until its owner revokes it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, TypeVar
from uuid import UUID

from services.chassis.changes.feed import Event
from services.ingest.domain.devices import to_the_hour
from services.ingest.errors import DeviceNotFound, DeviceRevoked
from services.ingest.operations.dependencies import Dependencies
from services.ingest.ports import REVOCATIONS

ItemT = TypeVar("ItemT")


async def see_device(dependencies: Dependencies, subject: str, device_id: UUID) -> None:
    """Note that a device was seen.

    Raises:
        DeviceNotFound: the person has none of this name.
        DeviceRevoked: its owner revoked it.
    """
    row = await dependencies.devices.see(subject, device_id, to_the_hour(dependencies.clock.now()))
    if row is None:
        raise DeviceNotFound.of(device_id)
    if row.revoke_time is not None:
        raise DeviceRevoked.of(device_id)


async def until_revoked(
    dependencies: Dependencies, items: AsyncGenerator[ItemT, None], *, subject: str, device_id: UUID
) -> AsyncGenerator[ItemT, None]:
    """Yield the items for as long as the device is not revoked.

    Raises:
        DeviceRevoked: its owner revoked it.
    """
    with dependencies.wakes.waiting(REVOCATIONS, subject) as woken:
        await see_device(dependencies, subject, device_id)
        revoked = asyncio.ensure_future(_revoked(dependencies, subject, device_id, woken))
        async with aclosing(items):
            try:
                while (item := await _next(items, revoked)) is not None:
                    yield item
            finally:
                revoked.cancel()
                await asyncio.gather(revoked, return_exceptions=True)


async def _next(items: AsyncGenerator[ItemT, None], revoked: "asyncio.Future[None]") -> ItemT | None:
    """Return the next item, None at the end."""
    coming = asyncio.ensure_future(anext(items, None))
    try:
        waited_for: set[asyncio.Future[Any]] = {coming, revoked}
        await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        if revoked.done():
            revoked.result()
        return await coming
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


async def _revoked(dependencies: Dependencies, subject: str, device_id: UUID, woken: Event) -> None:
    """Wait until the device is revoked, and raise then."""
    while True:
        woken.clear()
        row = await dependencies.devices.find(subject, device_id)
        if row is not None and row.revoke_time is not None:
            raise DeviceRevoked.of(device_id)
        await woken.wait()
