"""Listener for the time of a block, which leaves no connection open however the block ends."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from deploy.local.parts.ports import LOOPBACK

Lead: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(lead: Lead, port: int = 0) -> AsyncIterator[int]:
    """Have each connection to a port of this machine led, and give the port; at the end all are broken.

    The library's own server loses what it accepted in the moment in which it is closed, and leaves it open.
    """
    loop, leading = asyncio.get_running_loop(), dict[asyncio.Task[None], socket.socket]()
    with socket.create_server((LOOPBACK, port)) as listener:
        listener.setblocking(False)

        def accept() -> None:
            with suppress(BlockingIOError, ConnectionError):
                accepted, _ = listener.accept()
                accepted.setblocking(False)
                leading[asyncio.create_task(_led(lead, accepted))] = accepted

        loop.add_reader(listener, accept)
        try:
            yield listener.getsockname()[1]
        finally:
            loop.remove_reader(listener)
            for task in leading:
                task.cancel()
            await asyncio.gather(*leading, return_exceptions=True)
            for accepted in leading.values():
                accepted.close()  # a task that had not begun closes nothing


async def _led(lead: Lead, accepted: socket.socket) -> None:
    reader, made = asyncio.StreamReader(), list[asyncio.StreamWriter]()
    # With a callback it is the server's side, whose end of TLS is the server's as well.
    protocol = asyncio.StreamReaderProtocol(reader, lambda _, writer: made.append(writer))
    await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, accepted)
    (writer,) = made
    try:
        with suppress(OSError):
            await lead(reader, writer)
            writer.close()
            await writer.wait_closed()
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)  # the loop closes it in its next turn
