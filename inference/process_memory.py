"""Memory that a process and all below it hold, whatever else runs on the machine."""

import contextlib
from pathlib import Path

import psutil

_KIB = 1024
_OWN = ("Pss_Anon", "Pss_Shmem")


def held_bytes(process: psutil.Process) -> int:
    """Return what a process and all below it hold: what they have allocated, and tensors that they share.

    Pages of programs and libraries do not count: the system may drop them at any time, and a process's part of them
    grows whenever another server of the same programs ends.
    """
    return sum(_own_bytes(each.pid) for each in (process, *process.children(recursive=True)))


def _own_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):  # ended between the list and the look
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]
        sizes = dict(line.split(":") for line in lines)
        return sum(int(sizes[name].split()[0]) * _KIB for name in _OWN)
    return 0
