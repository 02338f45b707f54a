"""Reading on after a call is decided, so that its answer arrives.

A server that ends a call while its caller still sends resets the stream. RFC 9113 (section 8.1) has the caller keep the
answer all the same, but not every client does: grpc.aio reports INTERNAL instead of the status when one of its writes
fails first (https://github.com/grpc/grpc/issues/36066). Web servers know the remedy as the lingering close: what still
comes is read and dropped until the caller is through or silent, for a short while. Of one caller a few streams are read
so at a time: one who has a thousand of them refused would keep the process busy with reading.
"""

import asyncio
from contextlib import nullcontext

import grpc

from services.chassis.calls import Context, seconds_left
from services.chassis.limits.shares import Share, current_share

QUIET_SECONDS = 0.5
"""A caller that sends nothing for this long waits for the answer."""

LONGEST_SECONDS = 2.0
"""A caller that has more to send than fits into this has a stream that is cheaper to break."""


async def linger(context: Context) -> None:
    """Read and drop what the caller of a streaming RPC still sends, at the caller's pace; never fails."""
    share = current_share()
    with nullcontext(True) if share is None else share.lingering() as may_linger:
        if may_linger:
            await _read_on(context, share)


async def _read_on(context: Context, share: Share | None) -> None:
    now, left = asyncio.get_running_loop().time, seconds_left()
    end = now() + (LONGEST_SECONDS if left is None else min(LONGEST_SECONDS, left))
    try:
        async with asyncio.timeout_at(min(end, now() + QUIET_SECONDS)) as silence:
            while (message := await context.read()) is not grpc.aio.EOF:
                silence.reschedule(end)
                if share is not None:
                    await share.message(message.size)
                silence.reschedule(min(end, now() + QUIET_SECONDS))
    except Exception:  # noqa: BLE001, S110  # a caller that has gone, or sends nonsense: the answer is decided anyway
        pass
