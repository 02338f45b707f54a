"""A server of our own that can be broken: a model process killed, or the whole drained and started again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil

from deploy.local.models import shipped_models
from deploy.local.parts.lifecycle import bring_up, sweep
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.process import ServerProcess
from deploy.local.parts.triton import Models, TritonPorts, TritonServer, new_shared_memory_prefix

_MODEL_PROCESS: Final = "python_backend_stub"
_LOOK_SECONDS: Final = 0.5
_START_SECONDS: Final = 180.0  # many models on a busy machine


class OwnServer:
    """A running server, and the ways to break it. Every fault returns once the server is whole again."""

    def __init__(self, part: TritonServer, process: ServerProcess) -> None:
        self._part = part
        self._process = process

    @property
    def address(self) -> str:
        """`host:port` of its gRPC endpoint; the same after a restart."""
        return self._part.address

    async def kill_model_process(self, model: str) -> None:
        """Kills the processes of a model; the watcher finds the server's answers wrong, and starts it again."""
        for process in psutil.Process(self._process.pid).children(recursive=True):
            if _MODEL_PROCESS in process.name() and f"/{model}/" in " ".join(process.cmdline()):
                process.kill()
        while await self._part.probe():  # noqa: ASYNC110  # a wrong answer is no event; the stack's supervisor asks so too
            await asyncio.sleep(_LOOK_SECONDS)
        await self.restart()

    async def restart(self) -> None:
        """Has it answer what it has accepted and refuse what comes, then starts it again."""
        await self.stop()
        self._process = await bring_up(self._part, timeout=_START_SECONDS)

    async def stop(self) -> None:
        """End it, and remove what it leaves behind."""
        await self._process.stop()
        sweep(self._part.litter())


@asynccontextmanager
async def own_server(folder: Path) -> AsyncIterator[OwnServer]:
    """Run a server on the built models, its files under `folder`, for as long as the block lasts."""

    async def models() -> Models:
        return await shipped_models(folder / "repository")

    reserved = [ReservedPort(), ReservedPort()]
    part = TritonServer(
        data=folder / "triton",
        log=folder / "triton.log",
        ports=TritonPorts(*(port.number for port in reserved)),
        models=models,
        shared_memory_prefix=new_shared_memory_prefix(),
    )
    try:
        server = OwnServer(part, await bring_up(part, timeout=_START_SECONDS))
        try:
            yield server
        finally:
            await server.stop()
    finally:
        for port in reserved:
            port.close()
