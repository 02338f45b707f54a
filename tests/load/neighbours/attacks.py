"""Hostile callers: each does one thing that a service must bear, for as long as it is let.

They run in a process of their own. What they take from the service's cores must not count, since they would be on
other machines: they have what the service leaves, and a neighbour's calls are compared with those beside `elsewhere`,
which takes as much for nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import grpc
import psutil

from pellicule.ingest.v1 import media_service_pb2, media_service_pb2_grpc
from tests.integration.ingest.harness import start_request
from tests.unit.ingest.pictures import picture

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SERVICE = "/pellicule.ingest.v1.MediaService"
_CHANNELS = 8
_TELL_SECONDS = 0.2
_BETWEEN_CANCELLED_SECONDS = 0.2
_MIB = 1024 * 1024
_NOISE = secrets.token_bytes(_MIB).replace(b"\xff", b"\xfe")
"""What can stand in a JPEG's picture data."""


@dataclass(frozen=True)
class Target:
    """Whom to attack, and as whom.

    Attributes:
        kind: Name of the attack.
        address: `host:port` of the service's public listener.
        authority: File of the authority that its certificate is signed by.
        token: Of the hostile person.
        size: How many streams, calls or connections.
    """

    kind: str
    address: str
    authority: str
    token: str
    size: int


class Attacker:
    """A hostile person on several connections."""

    def __init__(self, target: Target, channels: list[grpc.aio.Channel]) -> None:
        self.target = target
        self.begun = 0
        self.headers = (("authorization", f"Bearer {target.token}"),)
        self._channels = channels
        self._stubs = [media_service_pb2_grpc.MediaServiceStub(channel) for channel in channels]

    def stub(self, number: int) -> media_service_pb2_grpc.MediaServiceStub:
        return self._stubs[number % len(self._stubs)]

    def channel(self, number: int) -> grpc.aio.Channel:
        return self._channels[number % len(self._channels)]

    async def all_at_once(self, attack: Callable[[int], Awaitable[object]]) -> None:
        """Do it as often as the target's size says, each again and again."""

        async def repeat(number: int) -> None:
            while True:
                self.begun += 1
                with suppress(grpc.aio.AioRpcError, OSError, asyncio.IncompleteReadError):
                    await attack(number)
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell())
            for number in range(self.target.size):
                tasks.create_task(repeat(number))

    async def _tell(self) -> None:
        """Say on standard output how often it was tried, a line each time."""
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            sys.stdout.write(f"{self.begun}\n")
            sys.stdout.flush()


async def slow_headers(attacker: Attacker) -> None:
    """Set connections up a byte a second; half of them never get to TLS."""
    host, port = attacker.target.address.split(":")
    context = ssl.create_default_context(cafile=attacker.target.authority)
    context.check_hostname = False
    context.set_alpn_protocols(["h2"])

    async def connect(number: int) -> None:
        _, writer = await asyncio.open_connection(host, int(port), ssl=context if number % 2 else None)
        try:
            for byte in _PREFACE + bytes(1000):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
        finally:
            writer.close()

    await attacker.all_at_once(connect)


async def drip_uploads(attacker: Attacker) -> None:
    """Bring a byte a second to each upload."""

    async def drip() -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
        yield _header()
        yield media_service_pb2.UploadMediaRequest(chunk=picture()[:-2])
        while True:
            await asyncio.sleep(1)
            yield media_service_pb2.UploadMediaRequest(chunk=b"\0")

    await attacker.all_at_once(lambda number: _upload(attacker, number, drip()))


async def open_uploads(attacker: Attacker) -> None:
    """Bring four MiB to each upload, and never finish it."""
    done = asyncio.Event()

    async def begin() -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
        yield _header()
        yield media_service_pb2.UploadMediaRequest(chunk=picture()[:-2])
        for _ in range(4):
            yield media_service_pb2.UploadMediaRequest(chunk=_NOISE)
        await done.wait()

    await attacker.all_at_once(lambda number: _upload(attacker, number, begin()))


async def small_messages(attacker: Attacker) -> None:
    """Bring a byte in a message to each upload, as fast as they are taken."""

    async def flood() -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
        yield _header()
        for byte in picture()[:-2]:
            yield media_service_pb2.UploadMediaRequest(chunk=bytes([byte]))
        while True:
            yield media_service_pb2.UploadMediaRequest(chunk=b"\0")

    await attacker.all_at_once(lambda number: _upload(attacker, number, flood()))


async def idle_streams(attacker: Attacker) -> None:
    """Keep watches open, and uploads that never begin."""
    never = asyncio.Event()

    async def silence() -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
        await never.wait()
        yield _header()

    async def idle(number: int) -> None:
        if number % 3:
            await _watch(attacker, number)
        else:
            await _upload(attacker, number, silence())

    await attacker.all_at_once(idle)


async def watch_floods(attacker: Attacker) -> None:
    """Open watches, and end each with its first word."""

    async def watch(number: int) -> None:
        request = media_service_pb2.WatchMediaRequest()
        call = attacker.stub(number).WatchMedia(request, metadata=attacker.headers)
        await anext(aiter(call))
        call.cancel()

    await attacker.all_at_once(watch)


async def cancelled_calls(attacker: Attacker) -> None:
    """Give calls up a moment after they were made, ten times as many a second as a caller may make."""

    async def call(number: int) -> None:
        request = media_service_pb2.ListMediaRequest(page_size=1000)
        calling = attacker.stub(number).ListMedia(request, metadata=attacker.headers)
        await asyncio.sleep(0.001 * (number % 10))
        calling.cancel()
        await asyncio.sleep(_BETWEEN_CANCELLED_SECONDS)

    await attacker.all_at_once(call)


async def call_floods(attacker: Attacker) -> None:
    """Make calls one after the other, as fast as they are answered."""
    request = media_service_pb2.ListMediaRequest(page_size=1000)
    await attacker.all_at_once(lambda number: attacker.stub(number).ListMedia(request, metadata=attacker.headers))


async def strangers(attacker: Attacker) -> None:
    """Make calls with tokens that none has issued."""
    request = media_service_pb2.ListMediaRequest()
    await attacker.all_at_once(
        lambda number: attacker.stub(number).ListMedia(
            request, metadata=(("authorization", f"Bearer {secrets.token_hex(400)}"),)
        )
    )


async def bad_messages(attacker: Attacker) -> None:
    """Send messages that are too large, or none at all."""
    bodies = [bytes(5 * _MIB), bytes(17 * _MIB), os.urandom(100_000), b"\xff" * 100]

    async def send(number: int) -> None:
        call: Any = attacker.channel(number).unary_unary(f"{_SERVICE}/PlanUploads")
        await call(bodies[number % len(bodies)], metadata=attacker.headers)

    await attacker.all_at_once(send)


async def elsewhere(attacker: Attacker) -> None:
    """Take a share of a core, in percent, and leave the service alone."""
    started = time.monotonic()
    while True:
        if 100 * time.process_time() < attacker.target.size * (time.monotonic() - started):
            hashlib.sha256(_NOISE).digest()
        await asyncio.sleep(0.001)


ELSEWHERE = "elsewhere"
ATTACKS: Mapping[str, tuple[Callable[[Attacker], Awaitable[None]], int]] = {
    "slow_headers": (slow_headers, 200),
    "drip_uploads": (drip_uploads, 200),
    "open_uploads": (open_uploads, 1000),
    "small_messages": (small_messages, 50),
    "idle_streams": (idle_streams, 500),
    "watch_floods": (watch_floods, 100),
    "cancelled_calls": (cancelled_calls, 100),
    "call_floods": (call_floods, 100),
    "strangers": (strangers, 100),
    "bad_messages": (bad_messages, 8),
}
"""Each attack, and how many of its streams, calls or connections there are at a time."""


class Attack:
    """An attack that goes on in a process of its own."""

    def __init__(self, target: Target, log: Path) -> None:
        self._target = target
        self._log = log
        self.begun = 0
        """How often it was tried."""

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                __name__,
                json.dumps(asdict(self._target)),
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def begins(self) -> None:
        """Wait until all that it has at a time was tried once."""
        while self.begun < self._target.size:
            await asyncio.sleep(_TELL_SECONDS)
            assert self._process.returncode is None, self._log.read_text()

    def cpu_seconds(self) -> float:
        """Return what its process has taken of the cores."""
        taken = psutil.Process(self._process.pid).cpu_times()
        return float(taken.user + taken.system)

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.begun = int(line)

    async def __aexit__(self, *_: object) -> None:
        self._process.kill()
        await self._process.wait()
        await self._listening


async def _attack(target: Target, authority: bytes) -> None:
    credentials = grpc.ssl_channel_credentials(authority)
    # Without these all channels to one address would share one connection.
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
    attack = elsewhere if target.kind == ELSEWHERE else ATTACKS[target.kind][0]
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.secure_channel(target.address, credentials, options=options))
            for _ in range(_CHANNELS)
        ]
        await attack(Attacker(target, channels))


def _leave_the_cores() -> None:
    """Take only what nothing else on this machine wants; hostile callers have machines of their own."""
    os.nice(19)
    with suppress(OSError):  # where the kernel shares cores among sessions, each has a priority as well
        Path("/proc/self/autogroup").write_text("19")


async def _upload(
    attacker: Attacker, number: int, messages: AsyncIterator[media_service_pb2.UploadMediaRequest]
) -> None:
    await attacker.stub(number).UploadMedia(messages, metadata=attacker.headers)


async def _watch(attacker: Attacker, number: int) -> None:
    async for _ in attacker.stub(number).WatchMedia(media_service_pb2.WatchMediaRequest(), metadata=attacker.headers):
        pass


def _header() -> media_service_pb2.UploadMediaRequest:
    """Return the beginning of an upload that no other is the same as."""
    start = start_request(secrets.token_bytes(32))
    start.size_bytes = start.asset.size_bytes = 20_000_000
    return media_service_pb2.UploadMediaRequest(header=media_service_pb2.UploadHeader(start=start))


if __name__ == "__main__":
    _leave_the_cores()
    chosen = Target(**json.loads(sys.argv[1]))
    asyncio.run(_attack(chosen, Path(chosen.authority).read_bytes()))
