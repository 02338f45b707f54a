"""Runner of `trtexec`: its lines as they come, a sign of life when none come, an end when it takes too long."""

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from inference.engines.errors import BuildFailed

HEARTBEAT_SECONDS: Final = 10.0
# The kernel ends the program with us: a build whose starter was killed must not keep the GPU.
_DIES_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL")
_COMPLAINTS: Final = 3


def run(
    command: Sequence[str],
    folder: Path,
    *,
    timeout: float,
    on_line: Callable[[str], None],
    heartbeat: float = HEARTBEAT_SECONDS,
) -> None:
    """Run a command in a folder to its end.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        timeout: the longest that it may take, in seconds.
        on_line: told each line of its output, and an empty one after every `heartbeat` seconds of silence.
        heartbeat: seconds.

    Raises:
        BuildFailed: it could not be started, failed, or took too long; it does not run any more.
    """
    name, complaints = Path(command[0]).name, deque[str](maxlen=_COMPLAINTS)

    def hear(line: str) -> None:
        on_line(line)
        if "[E]" in line:
            complaints.append(line)

    try:
        status = asyncio.run(_run(command, folder, timeout, hear, heartbeat))
    except TimeoutError as error:
        raise BuildFailed(f"{name} took longer than {timeout:.0f} s and was ended", field=name) from error
    if status:
        said = "; ".join(complaints) or "it did not say why"
        raise BuildFailed(f"{name} ended with status {status}: {said}", field=name)


async def _run(
    command: Sequence[str], folder: Path, timeout: float, on_line: Callable[[str], None], heartbeat: float
) -> int:
    process = await asyncio.create_subprocess_exec(
        *_DIES_WITH_US, *command, cwd=folder, start_new_session=True, stdout=-1, stderr=-2
    )
    try:
        async with asyncio.timeout(timeout):
            while process.stdout and not process.stdout.at_eof():
                line = b""
                with contextlib.suppress(TimeoutError):
                    line = await asyncio.wait_for(process.stdout.readline(), heartbeat)
                on_line(line.decode(errors="replace").rstrip())
            return await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
