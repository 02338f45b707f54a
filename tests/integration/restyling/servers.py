"""Real servers that restyle with small networks whose answers are known."""

import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.parts.triton import Models, triton_server
from inference.client.errors import ModelFault
from inference.repository import SHIPPED
from inference.restyling.assembly import NAME, RestylerFiles, ServedFlowRestyler, assemble_restyler
from inference.restyling.client import RestylerClient
from services.chassis.clock import SystemClock
from tests.fakes.restyler_graphs import STYLES, write_flow

VELOCITY = "restyler_velocity"


@asynccontextmanager
async def serving(folder: Path, files: RestylerFiles) -> AsyncIterator[str]:
    """Serve what fills the slot, as a CPU does; give the address."""
    async with _server(folder, (NAME,), lambda repository: assemble_restyler(repository / NAME, files)) as address:
        yield address


@asynccontextmanager
async def serving_as_a_gpu_does(folder: Path) -> AsyncIterator[str]:
    """Serve what a GPU node is given, and the network as a model of its own; give the address."""

    def assemble(repository: Path) -> None:
        assemble_restyler(repository / NAME, ServedFlowRestyler(STYLES))
        velocity = repository / VELOCITY
        shutil.copytree(SHIPPED / VELOCITY, velocity)
        (velocity / "1").mkdir()
        shutil.copyfile(SHIPPED / "onnx_model.py", velocity / "1" / "model.py")
        write_flow(velocity / "1" / "model.onnx")

    async with _server(folder, (VELOCITY, NAME), assemble) as address:
        yield address


@asynccontextmanager
async def _server(folder: Path, names: Sequence[str], assemble: Callable[[Path], None]) -> AsyncIterator[str]:
    async def models() -> Models:
        repository = folder / "repository"
        repository.mkdir()
        assemble(repository)
        return Models(repository=repository, names=names, canary=_names_its_styles, environment={})

    async with triton_server(folder, models) as server:
        yield server.address


async def _names_its_styles(address: str) -> bool:
    try:
        async with RestylerClient(address, SystemClock()) as client:
            return bool(await client.styles())
    except ModelFault:
        return False
