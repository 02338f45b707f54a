"""Cleaning up after a supervisor that was killed."""

import contextlib
import os
import signal

import psutil

from deploy.local.home import StackHome
from deploy.local.parts.lifecycle import sweep
from deploy.local.state import ProcessId, StackState, read_state

_KILL_SECONDS = 5.0
_CLOCK_STEP_SECONDS = 2.0
"""How far the clock may have been set since: the system counts a process's start from the boot."""


def identify(pid: int) -> ProcessId:
    """Return the identity of a running process."""
    return ProcessId(pid, psutil.Process(pid).create_time())


def is_running(process: ProcessId) -> bool:
    """Says whether that very process still runs."""
    with contextlib.suppress(psutil.NoSuchProcess):
        running = psutil.Process(process.pid)
        same = abs(running.create_time() - process.started) < _CLOCK_STEP_SECONDS
        return same and running.status() != psutil.STATUS_ZOMBIE
    return False


def remove_leftovers(home: StackHome) -> bool:
    """Kills what a stack without its supervisor left running and removes what it left lying.

    To be called with the stack's lock held. Says whether there was anything.
    """
    state = read_state(home)
    if state is None:
        return False
    _kill_parts(state)
    sweep(state.litter)
    home.state.unlink()
    return True


def _kill_parts(state: StackState) -> None:
    processes = [part.process for part in state.parts if part.process is not None and is_running(part.process)]
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(process.pid).wait(_KILL_SECONDS)
