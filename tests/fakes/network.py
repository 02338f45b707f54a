"""Network between two parts that a test holds up or cuts: bytes go through it, TLS and all, until it says otherwise."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

from tests.fakes.streams import listening

_PIECE = 64 * 1024


class FaultyNetwork:
    """A port that leads to another one, and does on the way what a test tells it to.

    Attributes:
        port: Where it is.
        connections: How many have come.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.connections = 0
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._lost: bytes | None = None
        self._answered = 0

    def hold(self) -> None:
        """Let nothing through from now on; connections stay open."""
        self._open.clear()

    def release(self) -> None:
        """Let everything through that waits, and all that follows."""
        self._open.set()

    def cut(self) -> None:
        """Break every connection that is open."""
        for writer in self._writers:
            writer.transport.abort()

    def lose_answer(self, words: bytes, *, after: int = 0) -> None:
        """Break the connection that next carries these words, when their answer comes: they were heard.

        Args:
            words: A part of what is sent.
            after: How many times they are answered before.
        """
        self._lost, self._answered = words, after

    def lose_nothing(self) -> None:
        """Let all answers through again."""
        self._lost = None

    @property
    def has_lost(self) -> bool:
        """Tell whether the answer that was to be lost is."""
        return self._lost is None

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry the bytes of one connection both ways."""
        ends = {writer}
        self.connections += 1
        self._writers.add(writer)
        losing = False

        def asks(data: bytes) -> bool:
            nonlocal losing
            if self._lost is not None and self._lost in data:
                if not self._answered:
                    losing, self._lost = True, None
                self._answered -= 1
            return True

        def answers(data: bytes) -> bool:
            return not losing

        try:
            onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", self._target)
            ends.add(onward_writer)
            self._writers.add(onward_writer)
            await asyncio.gather(self._carry(reader, onward_writer, asks), self._carry(onward_reader, writer, answers))
        finally:
            self._writers -= ends
            for end in ends:
                end.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may_pass: Callable[[bytes], bool]
    ) -> None:
        """Carry bytes one way; what may not pass breaks the connection."""
        with suppress(ConnectionError):
            while data := await reader.read(_PIECE):
                await self._open.wait()
                if not may_pass(data):
                    writer.transport.abort()
                    return
                writer.write(data)
                await writer.drain()
        writer.close()


def port_of(url: str) -> int:
    """Return the port of a server's URL."""
    return urlsplit(url).port or 0


def through(url: str, network: FaultyNetwork) -> str:
    """Return the URL of a server behind a network to its port."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{network.port}"))


@asynccontextmanager
async def faulty_network(target: int) -> AsyncIterator[FaultyNetwork]:
    """Run a network to a port of this machine for the time of the block."""
    network = FaultyNetwork(target)
    async with listening(network.lead) as network.port:
        try:
            yield network
        finally:
            network.cut()
