"""Balancer as a cluster's Service is one: each new connection leads to the next process that takes it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from tests.fakes.streams import listening

_PIECE = 64 * 1024


class Balancer:
    """A port in front of several."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = deque(ports)

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        try:
            await self._lead(reader, writer)
        finally:
            writer.close()

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
    async with listening(Balancer(ports).lead, port):
        yield
