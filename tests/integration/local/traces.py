"""What a server could leave behind on a machine."""

import os
import socket
from pathlib import Path

import psutil

from deploy.local.parts.ports import LOOPBACK


def processes_of_group(group: int) -> list[int]:
    """Return the processes that are in a process group."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue
    return found


def is_listening(address: str) -> bool:
    """Says whether anybody answers at `host:port`."""
    port = int(address.rpartition(":")[2])
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def litter(pattern: str) -> list[str]:
    """Return the files outside a stack's folder that match."""
    path = Path(pattern)
    return [str(found) for found in path.parent.glob(path.name)]
