"""Bound on a server's memory: how much it may grow from what it was when it was ready."""

import psutil

from inference.process_memory import held_bytes

GROWTH_MEGABYTES = 1024
"""What the models' server may grow by; three quarters of an hour of bursts took 50."""
_MIB = 1 << 20


class MemoryBound:
    """Memory of a process and of all below it, and how much more it may become.

    Args:
        pid: The process, which is ready now.
        megabytes: By how much its memory may grow.
    """

    def __init__(self, pid: int, megabytes: int) -> None:
        self._process = psutil.Process(pid)
        self._megabytes = megabytes
        self._first = held_bytes(self._process)

    def excess(self) -> str:
        """Return what to say of memory that has grown too much; nothing while it has not."""
        try:
            grown = (held_bytes(self._process) - self._first) // _MIB
        except psutil.NoSuchProcess:
            return ""
        bound = f"more than the {self._megabytes} MiB that it may: it is started again"
        return f"its memory has grown by {grown} MiB, {bound}" if grown > self._megabytes else ""
