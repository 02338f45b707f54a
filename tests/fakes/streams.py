"""Listener for the time of a block, which leaves no connection open however the block ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from deploy.local.parts.ports import LOOPBACK

Lead: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_LAST_SECONDS = 0.01
"""What the system accepted in the moment of the end comes in the next turns of the loop."""


@asynccontextmanager
async def listening(lead: Lead, port: int = 0) -> AsyncIterator[int]:
    """Have each connection to a port of this machine led, and give the port; at the end all are broken."""
    leading: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
    ended = False

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await lead(reader, writer)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if ended:
            writer.transport.abort()
        else:
            leading[asyncio.create_task(begin(reader, writer))] = writer

    server = await asyncio.start_server(accept, LOOPBACK, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        ended = True
        server.close()
        for task, writer in leading.items():
            task.cancel()
            writer.transport.abort()  # a task that had not begun closes nothing
        await asyncio.gather(*leading, return_exceptions=True)
        await server.wait_closed()
        await asyncio.sleep(_LAST_SECONDS)
