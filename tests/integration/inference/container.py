"""Containers of the models' chart as processes of this machine: what a pod would run, on a test's ports and folders."""

import json
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from deploy.charts.environments import Values, values
from deploy.charts.rendering import Chart
from deploy.local.parts import triton
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.process import Command, ServerProcess
from deploy.local.parts.programs import package_directory
from tests.contract.charts.pods import pods
from tests.contract.charts.releases import over

_ANYWHERE = "0.0.0.0"  # noqa: S104 - what the pod has of its own, and this machine has not
PORTS = {"grpc": 8001, "metrics": 8002, "health": 8081}
Arguments = Sequence[str]


@dataclass
class Containers:
    """The containers of one pod of servers.

    Attributes:
        folder: For logs, and the server's working folder.
        repository: What lies at /mnt/models.
        certificates: What lies at /etc/pellicule/tls.
        layer: Values over those of development.
    """

    folder: Path
    repository: Path
    certificates: Path
    layer: Values
    processes: dict[str, ServerProcess] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self._ports = {name: self._stack.enter_context(ReservedPort()) for name in PORTS}
        objects = Chart.load("inference").objects(over(values("development", "inference"), self.layer))
        (pod,) = [pod for pod in pods(objects) if pod.lasts]
        self._containers = {container["name"]: container for container in pod.containers}
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes.values():
            await process.stop()
        self._remove_litter()
        await self._stack.aclose()

    @property
    def address(self) -> str:
        """`host:port` of the server, by the name under which the canary beside it knows it."""
        return f"localhost:{self._ports['grpc'].number}"

    def _remove_litter(self) -> None:
        """Remove what a killed server leaves in shared memory, which in a pod goes with it."""
        for region in triton.SHARED_MEMORY.glob(f"{self._prefix}*"):
            region.unlink()

    @property
    def _prefix(self) -> str:
        return f"pellicule_{self._ports['grpc'].number}_"

    def arguments(self, container: str) -> Arguments:
        """Return what a container is told, with this machine's folders and ports in the pod's places."""
        return [self._here(argument) for argument in self._containers[container]["args"]]

    def start_server(self) -> ServerProcess:
        """Start the server, as the kubelet would after its container has ended."""
        package = package_directory("pytriton", package="nvidia-pytriton")
        triton._link_backend(package / "tritonserver", self.folder / "backends" / "python")
        # Beside what the pod gives it by its image and by being alone: this Python, loopback, names for its memory.
        own = (
            "--backend-directory=backends",
            f"--grpc-address={LOOPBACK}",
            f"--metrics-address={LOOPBACK}",
            f"--backend-config=python,shm-region-prefix-name={self._prefix}",
        )
        return self._start(
            "triton",
            package / "tritonserver" / "bin" / "tritonserver",
            (*self.arguments("triton"), *own),
            triton._environment(package, triton.shared_python_directory()),
        )

    def start_canary(self) -> ServerProcess:
        """Start the canary."""
        return self._start("canary", Path(sys.executable), ("-m", *self.arguments("canary")), {})

    async def health(self, service: str = "") -> bool:
        """Return whether a probe of the kubelet's would succeed."""
        async with grpc.aio.insecure_channel(self._ports["health"].address) as channel:
            request = health_pb2.HealthCheckRequest(service=service)
            try:
                found = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=3)  # type: ignore[attr-defined]
            except grpc.aio.AioRpcError:
                return False
        return bool(found.status == health_pb2.HealthCheckResponse.SERVING)

    def rounds(self) -> list[dict[str, Any]]:
        """Return what the canary has said."""
        lines = self.processes["canary"].log.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def _start(self, name: str, program: Path, arguments: Arguments, environment: Mapping[str, str]) -> ServerProcess:
        command = Command(
            program,
            tuple(arguments),
            log=self.folder / f"{name}.log",
            directory=self.folder,
            environment=environment,
            stop_signal=signal.SIGTERM,
            grace=5.0,
        )
        self.processes[name] = ServerProcess.start(command)
        return self.processes[name]

    def _here(self, argument: str) -> str:
        argument = argument.replace("/mnt/models", str(self.repository)).replace("$(POD_UID)", "a-uid")
        argument = argument.replace("/etc/pellicule/tls", str(self.certificates)).replace(_ANYWHERE, LOOPBACK)
        for name, port in PORTS.items():
            argument = re.sub(rf"(?<=[=:]){port}$", str(self._ports[name].number), argument)
        return argument
