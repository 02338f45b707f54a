"""Outages: a call is made again for as long as what is away may come back, and no longer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay, wait_exponential
from tenacity.stop import stop_base

from services.cli.client import Services
from services.cli.output import from_rpc, is_outage

PATIENCE_SECONDS = 180.0
"""Longer than a part needs to be found frozen, started again and ready."""
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 4.0

_ResultT = TypeVar("_ResultT")


async def through(
    services: Services,
    call: Callable[[], Awaitable[_ResultT]],
    *,
    passes: Callable[[BaseException], bool] | None = None,
    patience: float | None = None,
) -> _ResultT:
    """Make a call that may be made twice, again and again while it fails for a reason that passes.

    Args:
        services: Whose stack it is: one that does not run any more is not waited for.
        call: Makes it.
        passes: Says of a failure whether it passes, if not as of any other call.
        patience: Seconds after which the last failure is raised, if not as long as for any other call.
    """
    longest = PATIENCE_SECONDS if patience is None else patience
    retrying = AsyncRetrying(
        retry=retry_if_exception(passes or ends_by_itself),
        wait=wait_exponential(_FIRST_PAUSE_SECONDS, max=_LONGEST_PAUSE_SECONDS),
        stop=stop_after_delay(longest) | _StackGone(services),
        reraise=True,
    )
    async for attempt in retrying:
        with attempt:
            return await call()
    raise AssertionError("the last attempt returns or raises")


def ends_by_itself(error: BaseException) -> bool:
    """Say whether a call failed for an outage that ends without anybody's doing: a full disk waits for somebody."""
    return isinstance(error, grpc.aio.AioRpcError) and is_outage(error) and from_rpc(error).reason != "STORAGE_FULL"


class _StackGone(stop_base):
    """Stops as soon as the stack is stopped: nothing would start again what is away."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def __call__(self, retry_state: RetryCallState) -> bool:
        return not self._services.stack_runs()
