"""Runs `trtexec`: its lines as they come, a sign of life when none come, an end when it takes too long."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Final, Protocol

from inference.engines.errors import BuildFailed

HEARTBEAT_SECONDS: Final = 10.0
_LAUNCHER: Final = Path(__file__).with_name("launch.py")
_COMPLAINTS: Final = 3


class Clock(Protocol):
    """What the engines may know about time."""

    def now(self) -> datetime:
        """Returns the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Returns seconds on a clock that never goes back."""


Line = Callable[[str], None]


def run(
    command: Sequence[str],
    folder: Path,
    *,
    clock: Clock,
    timeout: float,
    on_line: Line,
    heartbeat: float = HEARTBEAT_SECONDS,
) -> None:
    """Runs a command to its end.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        clock: measures the timeout.
        timeout: the longest that it may take, in seconds.
        on_line: told each line of its output, and an empty one after every `heartbeat` of silence.
        heartbeat: seconds.

    Raises:
        BuildFailed: it could not be started, failed, or took too long; it does not run any more.
    """
    with _started(command, folder) as (process, output):
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_read, args=(output, lines), daemon=True).start()
        complaints = _follow(lines, on_line, clock, clock.monotonic() + timeout, heartbeat)
        if complaints is None:
            raise BuildFailed(f"{_name(command)} took longer than {timeout:.0f} s and was ended", field=_name(command))
        if process.wait() != 0:
            raise BuildFailed(_failure(command, process.returncode, complaints), field=_name(command))


@contextlib.contextmanager
def _started(command: Sequence[str], folder: Path) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Starts a command in a group of its own, which is gone when the block ends; the kernel ends it with us."""
    launched = (sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *command)
    with subprocess.Popen(
        launched, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            if process.stdout is not None:
                yield process, process.stdout
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _follow(
    lines: queue.Queue[str | None], on_line: Line, clock: Clock, deadline: float, heartbeat: float
) -> list[str] | None:
    """Passes lines on until there are no more; returns the last complaints among them, or None when time is up."""
    complaints: list[str] = []
    while True:
        try:
            line = lines.get(timeout=max(0.0, min(heartbeat, deadline - clock.monotonic())))
        except queue.Empty:
            if clock.monotonic() >= deadline:
                return None
            on_line("")
            continue
        if line is None:
            return complaints
        on_line(line)
        if "[E]" in line:
            complaints = [*complaints[1 - _COMPLAINTS :], line]


def _read(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line.rstrip())
    lines.put(None)


def _name(command: Sequence[str]) -> str:
    return Path(command[0]).name


def _failure(command: Sequence[str], status: int, complaints: Sequence[str]) -> str:
    said = "; ".join(complaints) or "it did not say why"
    return f"{_name(command)} ended with status {status}: {said}"
