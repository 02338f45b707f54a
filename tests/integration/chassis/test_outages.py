"""What happens to events when the database or the bus goes away in the middle."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from deploy.local.parts.lifecycle import bring_up, sweep
from deploy.local.parts.nats import PROBER, NatsServer
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.postgres import SUPERUSER, PostgresServer
from deploy.local.parts.process import ServerProcess
from services.chassis.clock import SystemClock
from services.chassis.database import Pool, migrate, open_pool
from services.chassis.messaging.bus import Bus, EventStream, connect_bus
from services.chassis.messaging.consumer import Consumer, IncomingEvent
from services.chassis.messaging.outbox import OutgoingEvent, append
from services.chassis.messaging.relay import OutboxRelay
from services.chassis.settings import BusSettings, DatabaseSettings
from services.chassis.supervision import supervised

SERVICE = "ingest"
STREAM = EventStream("INGEST", [f"pellicule.internal.{SERVICE}.v1.>"])
STORED = f"pellicule.internal.{SERVICE}.v1.MediaStored"


class Restartable:
    """A server that a test takes away and brings back."""

    def __init__(self, part: NatsServer | PostgresServer) -> None:
        self._part = part
        self._process: ServerProcess | None = None

    async def start(self) -> None:
        self._process = await bring_up(self._part)

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.exited()
            self._process = None

    async def end(self) -> None:
        await self.kill()
        sweep(self._part.litter())


@asynccontextmanager
async def nats(folder: Path) -> AsyncIterator[tuple[Restartable, BusSettings]]:
    port = ReservedPort()
    passwords = {user: secrets.token_urlsafe(8) for user in (SERVICE, PROBER)}
    part = NatsServer(data=folder / "nats", log=folder / "nats.log", port=port.number, passwords=passwords)
    server = Restartable(part)
    await server.start()
    try:
        yield server, BusSettings(nats_url=SecretStr(part.url(SERVICE)))
    finally:
        await server.end()
        port.close()


@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[tuple[Restartable, DatabaseSettings]]:
    port = ReservedPort()
    passwords = {role: secrets.token_urlsafe(8) for role in (SUPERUSER, SERVICE)}
    part = PostgresServer(data=folder / "postgres", log=folder / "postgres.log", port=port.number, passwords=passwords)
    server = Restartable(part)
    await server.start()
    try:
        settings = DatabaseSettings(database_url=SecretStr(part.url(SERVICE)))
        (folder / "migrations").mkdir()
        await migrate(settings, folder / "migrations")
        yield server, settings
    finally:
        await server.end()
        port.close()


async def emit(pool: Pool, body: bytes) -> None:
    async with pool.connection() as connection:
        await append(connection, OutgoingEvent(type=STORED, subject="media/1", body=body))


async def emit_as_a_caller_would(pool: Pool, body: bytes) -> None:
    """Try again while the pool still hands out connections that died with the server."""
    for _ in range(10):
        with contextlib.suppress(psycopg.OperationalError):
            return await emit(pool, body)
    pytest.fail("the pool hands out nothing but dead connections")


def consumer(bus: Bus, got: asyncio.Queue[bytes]) -> Consumer:
    async def handle(event: IncomingEvent) -> None:
        await got.put(event.body)

    return Consumer(bus, stream="INGEST", durable="consumer", types=[STORED], handle=handle)


@pytest.mark.parametrize("away", ["bus", "database"])
async def test_events_go_on_after_a_server_was_away(tmp_path: Path, away: str) -> None:
    got: asyncio.Queue[bytes] = asyncio.Queue()
    async with (
        nats(tmp_path) as (nats_server, bus_settings),
        postgres(tmp_path) as (postgres_server, database_settings),
        open_pool(database_settings) as pool,
        connect_bus(bus_settings) as bus,
        supervised([OutboxRelay(pool, bus, SystemClock(), STREAM).run, consumer(bus, got).run]),
    ):
        await emit(pool, b"before")
        before = await asyncio.wait_for(got.get(), 10)
        server = nats_server if away == "bus" else postgres_server
        await server.kill()
        if away == "bus":
            await emit(pool, b"after")
        await server.start()
        if away == "database":
            await emit_as_a_caller_would(pool, b"after")
        after = before
        while after == before:  # it comes again if the server died before it was acknowledged
            after = await asyncio.wait_for(got.get(), 30)
    assert (before, after) == (b"before", b"after")
