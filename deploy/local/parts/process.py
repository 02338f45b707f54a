"""Server process: started in a group of its own, logged to a file, and never left behind."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

_LAUNCHER = Path(__file__).with_name("launch.py")
_TAIL_BYTES = 4096
_GROUP_PAUSE = 0.02


@dataclass(frozen=True)
class Account:
    """A system user that a program runs as instead of its starter's.

    Attributes:
        user: Its number.
        group: Its group's number.
        seeming: Whether the program only seems to run as it, in a user namespace of its own: what it makes is its
            starter's.
        reveals: Folders and files that it needs to find, and would not where they lie in private folders: for root,
            these are passed over in a view of the file system that is the program's alone.
    """

    user: int
    group: int
    seeming: bool = False
    reveals: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{'@' if self.seeming else ''}{self.user}:{self.group}"


@dataclass(frozen=True)
class Command:
    """How a server is started.

    Attributes:
        program: Absolute path of the executable.
        arguments: What follows it.
        log: File that its output is added to.
        directory: Its working directory.
        environment: Variables beside the few that every part gets; the user's own are not passed on.
        stop_signal: What asks it to stop.
        death_signal: What the kernel sends it when its starter dies; by default the same.
        grace: Seconds between that and SIGKILL.
        account: Whom it runs as; None for the starter's own user.
        descriptors: File descriptors it inherits.
    """

    program: Path
    arguments: tuple[str, ...]
    log: Path
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals | None = None
    grace: float = 10.0
    account: Account | None = None
    descriptors: tuple[int, ...] = ()

    def launch_line(self) -> tuple[str, ...]:
        """Return the argument list that starts it through the launcher."""
        account = str(self.account or "-")
        reveals = json.dumps([str(path) for path in self.account.reveals] if self.account else [])
        death_signal = str(int(self.death_signal or self.stop_signal))
        launcher = (sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), death_signal)
        return (*launcher, account, reveals, str(self.program), *self.arguments)


def plain_environment() -> dict[str, str]:
    """Return the variables that every part gets: where programs are, the locale, a home."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR", "TZ") if name in os.environ}
    # Two arenas instead of eight a core: threads here wait more than they allocate, and memory is scarcer.
    return {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2", "PATH": os.defpath, **kept}


class ServerProcess:
    """A started server. Its methods may be awaited from any event loop, one at a time."""

    def __init__(self, command: Command, process: subprocess.Popen[bytes]) -> None:
        self._command = command
        self._process = process

    @classmethod
    def start(cls, command: Command) -> Self:
        """Start the server in a session of its own.

        Must be called in the main thread: the kernel's death signal is tied to the thread that starts.
        """
        command.log.parent.mkdir(parents=True, exist_ok=True)
        with command.log.open("ab") as log:
            process = subprocess.Popen(
                command.launch_line(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=command.directory,
                env={**plain_environment(), **command.environment},
                start_new_session=True,
                pass_fds=command.descriptors,
            )
        return cls(command, process)

    @property
    def pid(self) -> int:
        """The process id, which is the id of its group too."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """How it ended: a status, or a signal's number below zero; None while it runs."""
        return self._process.poll()

    async def exited(self, timeout: float | None = None) -> bool:
        """Wait until the process has ended, at most `timeout` seconds; say whether it has."""
        if self._process.poll() is not None:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await _wait_for_end(self.pid)
        return self._process.poll() is not None

    def worked(self) -> float:
        """Return the seconds of a core that it and its children have used."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return sum(map(_worked, (psutil.Process(self.pid), *self._children())))
        return 0.0

    async def stop(self, *, at_once: bool = False) -> None:
        """Asks it to stop, and kills its whole group once the grace is over; or kills it at once."""
        children = self._children()
        if self._process.poll() is None and not at_once:
            self._process.send_signal(self._command.stop_signal)
            await self.exited(self._command.grace)
        self.kill()
        _kill_all(children)
        await self.exited()
        while _any_runs_in_group(self.pid):  # noqa: ASYNC110  # the system has no event for a group
            await asyncio.sleep(_GROUP_PAUSE)

    def kill(self) -> None:
        """Kills the whole group at once, whatever is left of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _children(self) -> list[psutil.Process]:
        """Return its children, also those that have left its group, as PostgreSQL's do."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).children(recursive=True)
        return []

    @property
    def log(self) -> Path:
        """The file that its output goes to."""
        return self._command.log

    def last_words(self) -> str:
        """Return the last line of its log that says something."""
        return last_line(self._command.log)


def last_line(log: Path) -> str:
    """Return the last line of a log file that is not empty."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _worked(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _kill_all(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _any_runs_in_group(group: int) -> bool:
    """Says whether a killed group still has a process that is not merely waiting to be reaped."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return any(_runs_in_group(process, group) for process in psutil.process_iter())


def _runs_in_group(process: psutil.Process, group: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    return False


async def _wait_for_end(pid: int) -> None:
    descriptor = os.pidfd_open(pid)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
