"""Balancer as a cluster's Service is one: each new connection leads to the next process that takes it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

_PIECE = 64 * 1024


class Balancer:
    """A port in front of several."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = deque(ports)
        self._carrying: set[asyncio.Task[None]] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        task = asyncio.current_task()
        if task is not None:
            self._carrying.add(task)
        with suppress(OSError, asyncio.CancelledError):  # the server of streams wants its tasks to end by themselves
            await self._lead(reader, writer)
        writer.close()

    async def end(self) -> None:
        """Break every connection."""
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward_writer = await self._next()
        try:
            await asyncio.gather(_carry(reader, onward_writer), _carry(onward_reader, writer))
        finally:
            onward_writer.close()

    async def _next(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in range(len(self._ports)):
            self._ports.rotate()
            with suppress(ConnectionError):
                return await asyncio.open_connection("127.0.0.1", self._ports[0])
        raise ConnectionRefusedError


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(_PIECE):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def balanced(port: int, ports: Sequence[int]) -> AsyncIterator[None]:
    """Lead a port to others for the time of the block."""
    balancer = Balancer(ports)
    server = await asyncio.start_server(balancer.accept, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        await balancer.end()
        await server.wait_closed()
