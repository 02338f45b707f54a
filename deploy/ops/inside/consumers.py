"""Look at a service's consumers on the bus: how much each has not handled, and for how long it has handled nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from deploy.declarations import DECLARATIONS
from services.chassis.messaging.bus import Bus, connect_bus
from services.chassis.messaging.work import WorkStream
from services.chassis.settings import BusSettings

_SETTLE_SECONDS = 5
"""What has just come is taken within these; a consumer that was idle until now is not stuck."""


async def consumers(service: str) -> list[Mapping[str, Any]]:
    """Return a row for each consumer that the service has, or should have."""
    names = consumers_of(service)
    async with connect_bus(BusSettings()) as bus:
        if any(row["waiting"] for row in await _rows(bus, names)):
            await asyncio.sleep(_SETTLE_SECONDS)
        return await _rows(bus, names)


def consumers_of(service: str) -> Sequence[tuple[str, str]]:
    """Return the stream and the name of each consumer of a service."""
    declared = DECLARATIONS[service]
    heard = [(stream, name) for stream, _, name in (each.partition(".") for each in declared.hears)]
    work = WorkStream.of(service)
    return [*heard, *([(work.name, work.consumer)] if declared.works else [])]


async def _rows(bus: Bus, names: Sequence[tuple[str, str]]) -> list[Mapping[str, Any]]:
    return [await _row(bus, stream, name) for stream, name in names]


async def _row(bus: Bus, stream: str, name: str) -> Mapping[str, Any]:
    try:
        info = await bus.jetstream.consumer_info(stream, name)
    except NotFoundError:
        return {"consumer": name, "stream": stream, "waiting": None, "idle_seconds": None}
    waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
    return {"consumer": name, "stream": stream, "waiting": waiting, "idle_seconds": _idle(info)}


def _idle(info: ConsumerInfo) -> float:
    """Return the seconds since it was last given anything, or acknowledged anything, or was made."""
    marks = [each.last_active for each in (info.delivered, info.ack_floor) if each is not None]
    latest: datetime = max([info.created, *(each for each in marks if each is not None)])
    return (datetime.now(UTC) - latest).total_seconds()
