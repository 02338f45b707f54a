import asyncio
import json
from collections.abc import Container
from contextlib import AbstractAsyncContextManager

from pydantic import SecretStr

from deploy.local.parts.ports import LOOPBACK
from services.chassis.messaging.bus import Bus, connect_bus
from services.chassis.settings import BusSettings
from tests.fakes.streams import listening

INFO = {"server_id": "x", "version": "2.10.0", "max_payload": 1 << 20, "proto": 1}


class SilentBus:
    """A bus that says nothing to some connections, and waits until the client leaves them."""

    def __init__(self, *, silent: Container[int]) -> None:
        self._silent = silent
        self._writer: asyncio.StreamWriter | None = None
        self.came = 0
        self.left = list[int]()

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead one connection."""
        self.came += 1
        number, self._writer = self.came, writer
        if number in self._silent:
            writer.write_eof()
        else:
            writer.write(b"INFO " + json.dumps(INFO).encode() + b"\r\n")
        while line := await reader.readline():
            if line == b"PING\r\n":
                writer.write(b"PONG\r\n")
        self.left.append(number)
        writer.close()

    def hang_up(self) -> None:
        """End the newest connection."""
        assert self._writer is not None
        self._writer.write_eof()


def connected(port: int) -> AbstractAsyncContextManager[Bus]:
    return connect_bus(BusSettings(nats_url=SecretStr(f"nats://{LOOPBACK}:{port}")))


async def test_a_connection_whose_beginning_failed_is_left() -> None:
    bus = SilentBus(silent={1, 3, 4})
    async with listening(bus.lead) as port, asyncio.timeout(20), connected(port) as client:
        assert client.connected
        assert (bus.came, bus.left) == (2, [1])
        bus.hang_up()
        while bus.came < 5 or not client.connected:  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.01)
        assert bus.left == [1, 2, 3, 4]
