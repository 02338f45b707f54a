"""Lifecycle of parts: what every part can do, and how one is brought up."""

import asyncio
import glob
import shutil
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from deploy.local.errors import start_failed
from deploy.local.parts.ports import family_of, parted
from deploy.local.parts.process import ServerProcess

START_TIMEOUT = 180.0
"""Seconds that a part may take until it answers; a busy machine is slow, a broken part ends by itself."""
_PROBE_PAUSE = 0.05


class Part(Protocol):
    """A server of the stack."""

    @property
    def name(self) -> str:
        """What it is called in the status, the state file and the name of its log."""

    @property
    def address(self) -> str:
        """`host:port` under which it serves its callers."""

    async def start(self) -> ServerProcess:
        """Prepare its files and start it; return before it is ready."""

    async def probe(self) -> bool:
        """Says whether one real request was answered as it should be."""

    async def provision(self) -> None:
        """Make what its users need in it, such as databases; run after the first good probe, each start."""

    def litter(self) -> Sequence[str]:
        """Return patterns of what it leaves outside its own folder, to be removed once it has ended."""


PartT = TypeVar("PartT", bound=Part)


async def bring_up(
    part: Part, *, started: Callable[[ServerProcess], None] | None = None, timeout: float = START_TIMEOUT
) -> ServerProcess:
    """Start a part and wait until it is ready and provisioned.

    Args:
        part: What to start.
        started: Told of the process as soon as there is one.
        timeout: Seconds until the part has to answer.

    Raises:
        StackError: START_FAILED, with the last line of the part's log; nothing is left running.
    """
    process = await part.start()
    if started is not None:
        started(process)
    try:
        await _wait_ready(part, process, timeout)
        await part.provision()
    except BaseException:
        await process.stop()
        sweep(part.litter())
        raise
    return process


@asynccontextmanager
async def running(part: PartT) -> AsyncIterator[PartT]:
    """Run a part for as long as the block lasts."""
    process = await bring_up(part)
    try:
        yield part
    finally:
        await process.stop()
        sweep(part.litter())


def sweep(patterns: Sequence[str]) -> None:
    """Remove every file and folder that one of the patterns (absolute, as for glob) names."""
    for found in (Path(name) for pattern in patterns for name in glob.glob(pattern)):  # noqa: PTH207
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
        else:
            found.unlink(missing_ok=True)


async def _wait_ready(part: Part, process: ServerProcess, timeout: float) -> None:
    end = time.monotonic() + timeout
    while not (is_listening(part.address) and await part.probe()):
        if process.exit_status is not None:
            raise _failed(part, process, f"it ended with status {process.exit_status}")
        if time.monotonic() > end:
            raise _failed(part, process, f"no answer within {timeout:.0f} s")
        await asyncio.sleep(_PROBE_PAUSE)


def is_listening(address: str) -> bool:
    """Says whether a request would find anybody; making one costs a hundred times as much."""
    place = parted(address)
    with socket.socket(family_of(place[0])) as connection:
        return connection.connect_ex(place) == 0


def _failed(part: Part, process: ServerProcess, why: str) -> Exception:
    return start_failed(part.name, f"{why}; it said: {process.last_words()}", str(process.log))
