"""Reading on after a call is decided, so that its answer arrives.

A server that ends a call while its caller still sends resets the stream. RFC 9113 (section 8.1) has the caller keep the
answer all the same, but not every client does: grpc.aio reports INTERNAL instead of the status when one of its writes
fails first (https://github.com/grpc/grpc/issues/36066). Web servers know the remedy as the lingering close: what still
comes is read and dropped until the caller is through or silent, for a short while. Of one caller so much is read a
second and no more, since whoever has a thousand streams refused would keep the process busy with reading them.
"""

import asyncio

import grpc

from services.chassis.calls import Context, seconds_left
from services.chassis.limits.shares import current_share

QUIET_SECONDS = 0.5
"""A caller that sends nothing for this long waits for the answer."""

LONGEST_SECONDS = 2.0
"""A caller that has more to send than fits into this has a stream that is cheaper to break."""


async def linger(context: Context) -> None:
    """Read and drop what the caller of a streaming RPC still sends; never fails."""
    now, share = asyncio.get_running_loop().time, current_share()
    left = seconds_left()
    end = now() + (LONGEST_SECONDS if left is None else min(LONGEST_SECONDS, left))
    try:
        async with asyncio.timeout_at(min(end, now() + QUIET_SECONDS)) as silence:
            while (message := await context.read()) is not grpc.aio.EOF:
                if share is not None and not share.may_drop(message.size):
                    return
                silence.reschedule(min(end, now() + QUIET_SECONDS))
    except Exception:  # noqa: BLE001, S110  # a caller that has gone, or sends nonsense: the answer is decided anyway
        pass
