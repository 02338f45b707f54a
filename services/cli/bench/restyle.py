"""Measurement behind `bench restyle`: pictures through the inference server, held against the bare network.

A picture of 512 px goes four steps. The limit is ONNX Runtime with the same graph, on as many threads, with nothing
around it: no wire, no bytes made into numbers and back, no checks. Pictures of the one and of the other alternate.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from deploy.local.parts.triton import Models, triton_server
from inference.client.errors import ModelFault
from inference.load.turns import in_turn
from inference.model_build.build import built_model
from inference.model_build.build import default_home as models_home
from inference.model_build.errors import ModelError
from inference.model_build.manifest import shipped_model
from inference.restyling.assembly import NAME, FlowRestylerFiles, assemble_restyler
from inference.restyling.client import RestylerClient
from inference.restyling.diffusion.request import RestyleRequest
from inference.restyling.local import BareFlow
from services.chassis.clock import SystemClock
from services.cli.bench.ratio_row import ratio_row
from services.cli.bench.server import running_server
from services.cli.output import CommandFailed

GOAL = 0.85
SIDE = 512
STEPS = 4
FEWEST_ROUNDS, MOST_ROUNDS = 8, 32
STYLE = 0


async def measure() -> AsyncIterator[Mapping[str, object]]:
    """Yield one line: pictures a second through the server, and how many the bare network does.

    Asks the running stack, or else a server of its own; takes one to three minutes.
    """
    files = shipped_files()
    address = running_server()
    if address and await _serves_what_is_shipped(address):
        yield await measure_at(address, files)
        return
    async with _own_server(files) as own:
        yield await measure_at(own, files)


async def measure_at(
    address: str, files: FlowRestylerFiles, *, side: int = SIDE, most: int = MOST_ROUNDS
) -> Mapping[str, object]:
    """Measure one server, which serves these files.

    Args:
        address: `host:port`.
        files: what it serves.
        side: of the square picture, in pixels.
        most: rounds of a picture each.
    """
    bare = BareFlow(files.velocity, side=side, threads=len(os.sched_getaffinity(0)))
    photo = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    request = RestyleRequest(photo, STYLE, STEPS, 1.0, seed=1)
    async with RestylerClient(address, SystemClock()) as client:

        async def served() -> float:
            return await _rate(client.restyle(request))

        async def alone() -> float:
            return await _rate(asyncio.to_thread(bare.run, steps=STEPS, style=STYLE))

        await served()  # the first of each makes the memory ready
        await alone()
        compared = await in_turn(served, alone, fewest=min(FEWEST_ROUNDS, most), most=most)
    return ratio_row("restyle", "pictures/s", compared, goal=GOAL, digits=3)


async def _rate(picture: Awaitable[object]) -> float:
    """Return pictures a second."""
    began = time.perf_counter()
    await picture
    return 1 / (time.perf_counter() - began)


def shipped_files() -> FlowRestylerFiles:
    """Return the restyler that comes with the product, as it lies built on this machine.

    Raises:
        CommandFailed: it is not built.
    """
    try:
        path = built_model(models_home(), NAME).path
        return FlowRestylerFiles(path, shipped_model(NAME).manifest.styles)
    except ModelError as error:
        raise CommandFailed(error.reason, str(error), error.field) from error


async def _serves_what_is_shipped(address: str) -> bool:
    """Say whether the slot is filled with the very network that the bare one runs."""
    try:
        async with RestylerClient(address, SystemClock()) as client:
            return await client.identity() == shipped_model(NAME).manifest.identity
    except ModelFault:
        return False


@asynccontextmanager
async def _own_server(files: FlowRestylerFiles) -> AsyncIterator[str]:
    with TemporaryDirectory(prefix="pellicule-bench-") as name:
        folder = Path(name)

        async def models() -> Models:
            assemble_restyler(folder / "repository" / NAME, files)
            return Models(repository=folder / "repository", names=(NAME,), canary=_answers, environment={})

        async with triton_server(folder, models) as server:
            yield server.address


async def _answers(address: str) -> bool:
    try:
        async with RestylerClient(address, SystemClock()) as client:
            return bool(await client.styles())
    except ModelFault:
        return False
