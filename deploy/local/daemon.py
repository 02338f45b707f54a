"""Daemon control: a stack started in the background, and stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.disk import DISK_FULL
from deploy.local.errors import StackError, program_unusable
from deploy.local.home import StackHome
from deploy.local.leftovers import is_running, remove_leftovers
from deploy.local.lock import locked
from deploy.local.parts.process import last_line
from deploy.local.settings import OBJECT_STORE, StackSettings
from deploy.local.state import Phase, ProcessId, StackState, read_state

START_SECONDS = 180.0
"""A first start with MinIO builds it."""
STOP_SECONDS = 60.0
_PAUSE = 0.1

Report = Callable[[StackState], None]


def running_state(home: StackHome) -> StackState:
    """Return the state of a stack that runs.

    Raises:
        StackError: NOT_RUNNING.
    """
    state = _alive(home)
    if state is None:
        raise StackError("NOT_RUNNING", f"no stack runs in {home.path}: start it with `pellicule up`", field="home")
    return state


def start(home: StackHome, settings: StackSettings, report: Report) -> StackState:
    """Start a stack, or join the one that runs already, and return once every part is ready.

    Raises:
        StackError: why it could not be; nothing is left running. SETTINGS_DIFFER, one runs already with others.
    """
    if (other := _alive(home)) is not None:
        return _join(home, other, settings, report)
    process = _spawn(home, settings, start_new_session=True)
    try:
        ready = _await_ready(home, process.pid, lambda: process.poll() is None, report)
    except StackError:
        if (other := _alive(home)) is not None:  # somebody else was quicker
            return _join(home, other, settings, report)
        raise
    process.returncode = 0  # it is meant to outlive this process: no warning about it
    return ready


def run(home: StackHome, settings: StackSettings, report: Report) -> None:
    """Run a stack in the foreground: return once it was stopped by another command.

    Raises:
        StackError: why it could not be started.
        KeyboardInterrupt: Ctrl-C, after the stack has stopped.
    """
    process = _spawn(home, settings, start_new_session=False)
    try:
        _await_ready(home, process.pid, lambda: process.poll() is None, report)
        process.wait()
    except KeyboardInterrupt:
        process.terminate()  # the terminal told it as well; a sender of the signal to us alone did not
        process.wait(STOP_SECONDS)
        raise


def stop(home: StackHome) -> bool:
    """Stop a stack, or clean up after one whose supervisor was killed; say whether there was anything."""
    state = read_state(home)
    if state is not None and is_running(state.supervisor):
        os.kill(state.supervisor.pid, signal.SIGTERM)
        if not _await_end(state.supervisor):
            os.kill(state.supervisor.pid, signal.SIGKILL)
            _await_end(state.supervisor)
            remove_leftovers(home)
        return True
    if state is None:
        return False
    with locked(home):
        return remove_leftovers(home)


def _alive(home: StackHome) -> StackState | None:
    state = read_state(home)
    lives = state is not None and state.phase is not Phase.FAILED and is_running(state.supervisor)
    return state if lives else None


def _join(home: StackHome, other: StackState, settings: StackSettings, report: Report) -> StackState:
    for name, value in settings.values.items():
        running = other.object_store if name == OBJECT_STORE else other.settings.get(name, "its default")
        if value != running:
            differs = f"the stack in {home.path} runs with {name} at {running}, not at {value}"
            raise StackError("SETTINGS_DIFFER", f"{differs}: stop it with `pellicule down` first", field=name)
    return _await_ready(home, other.supervisor.pid, lambda: is_running(other.supervisor), report)


def _spawn(home: StackHome, settings: StackSettings, *, start_new_session: bool) -> subprocess.Popen[bytes]:
    home.make()
    home.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    with home.log("supervisor").open("ab") as log:
        if not os.access(sys.executable, os.X_OK):
            raise program_unusable(Path(sys.executable))
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.local.supervisor", str(home.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=start_new_session,
            cwd="/",
            env=settings.handed_on(os.environ),
        )


def _await_ready(home: StackHome, pid: int, lives: Callable[[], bool], report: Report) -> StackState:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        alive = lives()
        state = read_state(home)
        if state is not None and state.supervisor.pid == pid:
            report(state)
            if state.phase is Phase.READY:
                return state
        if not alive:
            raise _failure(home)
        time.sleep(_PAUSE)
    error = _not_ready(home)
    stop(home)
    raise error


def _not_ready(home: StackHome) -> StackError:
    state = read_state(home)
    if state is not None and any(part.note.startswith(DISK_FULL) for part in state.parts):
        return StackError(
            "DISK_FULL", f"the disk of {home.path} filled while the stack was being started: make room", field="home"
        )
    return StackError("START_FAILED", f"the stack was not ready within {START_SECONDS:.0f} s: see {home.path}/logs")


def _failure(home: StackHome) -> StackError:
    state = read_state(home)
    if state is not None and state.phase is Phase.FAILED:
        return StackError(state.error["reason"], state.error["message"], field=state.error["field"])
    log = home.log("supervisor")
    return StackError("START_FAILED", f"the supervisor ended: {last_line(log)} (log: {log})", field="supervisor")


def _await_end(process: ProcessId) -> bool:
    end = time.monotonic() + STOP_SECONDS
    while is_running(process) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return not is_running(process)
