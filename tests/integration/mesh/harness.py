"""A mesh on one machine: of each service two servers, two processes for upkeep and three workers, started by hand.

The servers beneath are those of a stack; in front of each pair of servers is a balancer, as a cluster has one.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import psutil
from grpc_health.v1 import health_pb2

from deploy.declarations import DECLARATIONS, SERVICES
from deploy.local.authority import ensure_credentials
from deploy.local.home import StackHome
from deploy.local.parts.lifecycle import bring_up, sweep
from deploy.local.parts.process import Command, ServerProcess
from deploy.local.parts.service import ServiceProcess
from deploy.local.plan import Plan, make_plan
from deploy.local.state import PartState, Phase, ProcessId, StackState, write_state
from services.chassis.clock import SystemClock
from tests.e2e.harness import Row, RunningStack
from tests.fakes.ports import free_port
from tests.integration.eventually import eventually
from tests.integration.mesh.balancer import balanced

_REPLICAS = {"public,internal": 2, "upkeep": 2, "worker": 3}
_ONE_AT_A_TIME = {"PELLICULE_BATCH": "1", "PELLICULE_IN_HAND": "1"}
"""Of media: what little there is comes to more than one worker."""
_READY_SECONDS = 240.0


@dataclass
class Replica:
    """One process of a service.

    Attributes:
        service: Which.
        roles: Its roles.
        number: Which of those that are alike.
        ports: Of its listeners, by name.
        process: What runs.
    """

    service: str
    roles: str
    number: int
    ports: Mapping[str, int]
    process: ServerProcess | None = None

    @property
    def name(self) -> str:
        return f"{self.service}-{self.roles.partition(',')[0]}-{self.number}"

    @property
    def pid(self) -> int:
        return self.process.pid if self.process is not None else 0

    def settings(self) -> Mapping[str, str]:
        return {
            "PELLICULE_ROLES": self.roles,
            **(_ONE_AT_A_TIME if self.roles == "worker" else {}),
            **{f"PELLICULE_{name.upper()}_ADDRESS": f"127.0.0.1:{port}" for name, port in self.ports.items()},
        }

    async def serves(self) -> bool:
        """Ask its health in clear, as a kubelet does."""
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.ports['health']}") as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            try:
                answer = await check(health_pb2.HealthCheckRequest(), timeout=3)
            except grpc.aio.AioRpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


@dataclass
class Mesh:
    """What the tests stand on."""

    plan: Plan
    stack: RunningStack
    replicas: list[Replica] = field(default_factory=list)

    async def command(self, *arguments: str) -> list[Row]:
        """Run a command of `pellicule` that must succeed, and return its lines."""
        return await asyncio.to_thread(self.stack.rows, *arguments)

    async def select(self, service: str, query: str) -> list[tuple[object, ...]]:
        """Ask a service's database."""
        return await asyncio.to_thread(self.stack.select, service, query)

    def alike(self, service: str, role: str) -> Sequence[Replica]:
        """Return the processes of a service with a role."""
        return [each for each in self.replicas if each.service == service and role in each.roles.split(",")]

    def environment(self, service: str) -> Mapping[str, str]:
        """Return what a stack tells a service."""
        return next(
            unit.part.environment
            for unit in self.plan.units
            if isinstance(unit.part, ServiceProcess) and unit.part.name == service
        )

    def log(self, replica: Replica) -> str:
        """Return what a process has said."""
        return self.stack.home.log(replica.name).read_text(encoding="utf-8")

    def start(self, replica: Replica) -> ServerProcess:
        """Start a process; it is ready later."""
        folder = self.stack.home.data(replica.name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        started = ServerProcess.start(
            Command(
                Path(sys.executable),
                ("-m", f"services.{replica.service}"),
                log=self.stack.home.log(replica.name),
                directory=folder,
                environment={**self.environment(replica.service), **replica.settings(), "OPENBLAS_NUM_THREADS": "1"},
            )
        )
        replica.process = started
        return started


@asynccontextmanager
async def running_mesh(folder: Path) -> AsyncIterator[Mesh]:
    """Run a mesh for the time of the block."""
    home = StackHome(folder / "home")
    home.make()
    ensure_credentials(home, SystemClock())
    plan = make_plan(home, "seaweedfs")
    mesh = Mesh(plan, RunningStack(home))
    async with AsyncExitStack() as stack:
        stack.callback(plan.ports.close)
        await _start_servers(plan, stack)
        stack.push_async_callback(_end, mesh)
        await _prepare(mesh)
        for service in SERVICES:
            mesh.replicas += _replicas(service)
            await _balance(mesh, service, stack)
        write_state(home, _state(plan))
        for replica in mesh.replicas:
            mesh.start(replica)
        await asyncio.gather(*(eventually(each.serves, seconds=_READY_SECONDS) for each in mesh.replicas))
        yield mesh


async def _start_servers(plan: Plan, stack: AsyncExitStack) -> None:
    for unit in plan.units:
        if not isinstance(unit.part, ServiceProcess):
            process = await bring_up(unit.part, timeout=unit.start_timeout)
            stack.callback(sweep, unit.part.litter())
            stack.push_async_callback(process.stop)


async def _prepare(mesh: Mesh) -> None:
    """Run the role `prepare` of every service to its end, of one of them twice at a time."""
    jobs = [mesh.start(Replica(service, "prepare", number, {})) for number, service in enumerate((*SERVICES, "ingest"))]
    for job in jobs:
        assert await job.exited(_READY_SECONDS)
        assert job.exit_status == 0, job.last_words()


def _replicas(service: str) -> Sequence[Replica]:
    return [
        Replica(service, roles, number, _ports(roles))
        for roles, count in _REPLICAS.items()
        if roles != "worker" or DECLARATIONS[service].works
        for number in range(count)
    ]


def _ports(roles: str) -> Mapping[str, int]:
    listeners = roles.split(",") if roles == "public,internal" else []
    return {name: free_port() for name in (*listeners, "health")}


async def _balance(mesh: Mesh, service: str, stack: AsyncExitStack) -> None:
    for listener in ("public", "internal"):
        ports = [each.ports[listener] for each in mesh.alike(service, listener)]
        await stack.enter_async_context(balanced(mesh.plan.ports.number(f"{service}-{listener}"), ports))


def _state(plan: Plan) -> StackState:
    """Return what the command reads of a stack: where it is, and that it runs as long as this process."""
    own = ProcessId(os.getpid(), psutil.Process().create_time())
    parts = [PartState(unit.part.name, True, None, 0, unit.part.address, "", "") for unit in plan.units]
    return StackState(Phase.READY, own, "seaweedfs", tuple(parts))


async def _end(mesh: Mesh) -> None:
    await asyncio.gather(*(each.process.stop() for each in mesh.replicas if each.process is not None))
