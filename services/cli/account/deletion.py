"""Deletion of the account: the order, taking it back, and the wait for one that has begun."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration

from pellicule.retention.v1 import account_pb2, account_service_pb2
from services.cli.account.erasure import PURGE_PATIENCE_SECONDS, PURGE_POLL_SECONDS
from services.cli.client import SHORT_CALL_SECONDS, Services
from services.cli.outages import through


async def request(services: Services, delay: timedelta) -> account_pb2.AccountDeletion:
    """Ask for the deletion of the account; one that begins at once is waited for."""
    after = Duration()
    after.FromTimedelta(delay)
    asked = account_service_pb2.RequestAccountDeletionRequest(request_id=str(uuid4()), delay=after)
    reply = await services.account.RequestAccountDeletion(asked, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    return await _complete(services, reply.account_deletion)


async def cancel(services: Services, name: str) -> account_pb2.AccountDeletion:
    """Take a deletion back that has not begun."""
    asked = account_service_pb2.CancelAccountDeletionRequest(name=name)
    reply = await services.account.CancelAccountDeletion(asked, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    return reply.account_deletion


async def _complete(services: Services, deletion: account_pb2.AccountDeletion) -> account_pb2.AccountDeletion:
    """Wait until every store has reported, when the keys are destroyed already."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PURGE_PATIENCE_SECONDS
    while deletion.state == account_pb2.ACCOUNT_DELETION_STATE_KEYS_DESTROYED and loop.time() < until:
        await asyncio.sleep(PURGE_POLL_SECONDS)
        deletion = await through(services, partial(_deletion, services, deletion.name))
    return deletion


async def _deletion(services: Services, name: str) -> account_pb2.AccountDeletion:
    asked = account_service_pb2.GetAccountDeletionRequest(name=name)
    reply = await services.account.GetAccountDeletion(asked, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    return reply.account_deletion
