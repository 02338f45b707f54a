"""Inference server that a bench asks: the running stack's, or else one of its own for as long as it lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local import daemon
from deploy.local.errors import StackError
from deploy.local.home import default_home
from deploy.local.models import shipped_models
from deploy.local.parts.triton import Models, triton_server
from services.cli.stack.failures import stack_failures

_PART = "triton"


@asynccontextmanager
async def inference_server() -> AsyncIterator[str]:
    """Give the `host:port` of a server that serves the built models."""
    if address := running_server():
        yield address
        return
    with TemporaryDirectory(prefix="pellicule-bench-") as folder, stack_failures():
        path = Path(folder)

        async def models() -> Models:
            return await shipped_models(path / "repository")

        async with triton_server(path, models) as server:
            yield server.address


def running_server() -> str | None:
    """Return where the running stack serves models; None when none runs."""
    try:
        return daemon.running_state(default_home()).address(_PART)
    except StackError:
        return None
