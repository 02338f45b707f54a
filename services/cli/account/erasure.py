"""Erasing: the order, and the wait until every store has carried it out."""

import asyncio
from functools import partial
from uuid import uuid4

from pellicule.retention.v1 import erasure_pb2, retention_service_pb2
from services.cli.client import SHORT_CALL_SECONDS, Services
from services.cli.outages import through

PURGE_PATIENCE_SECONDS = 120.0
PURGE_POLL_SECONDS = 0.2


async def erase(services: Services, media: str = "") -> erasure_pb2.Erasure:
    """Erase one media, by its resource name, or everything of a person.

    Returns:
        The erasure as far as it has come: the keys are destroyed; as a rule every store has reported.

    Raises:
        grpc.aio.AioRpcError: retention refuses it or is not there.
    """
    request = retention_service_pb2.RequestErasureRequest(request_id=str(uuid4()))
    if media:
        request.media = media
    else:
        request.everything = True
    reply = await services.retention.RequestErasure(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    return await _purged(services, reply.erasure)


async def _purged(services: Services, erasure: erasure_pb2.Erasure) -> erasure_pb2.Erasure:
    """Wait until every store has reported; the keys are destroyed already."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PURGE_PATIENCE_SECONDS
    while erasure.state != erasure_pb2.ERASURE_STATE_PURGED and loop.time() < until:
        await asyncio.sleep(PURGE_POLL_SECONDS)
        erasure = await through(services, partial(_erasure, services, erasure.name))
    return erasure


async def _erasure(services: Services, name: str) -> erasure_pb2.Erasure:
    request = retention_service_pb2.GetErasureRequest(name=name)
    reply = await services.retention.GetErasure(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    return reply.erasure
