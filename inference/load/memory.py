"""Memory of a server and its model processes, as long as a run lasts."""

from dataclasses import dataclass, field

import psutil

from inference.client.clock import Clock
from inference.load.regression import Slope, slope
from inference.process_memory import held_bytes

MEBIBYTE = 1024 * 1024
_HOUR = 3600.0
_FEWEST = 4


class ServerNotFound(Exception):
    """No process of this user listens there."""


def listening_process(port: int) -> psutil.Process:
    """Find the process that listens on a TCP port of this machine.

    Raises:
        ServerNotFound: there is none, or it is somebody else's.
    """
    for connection in psutil.net_connections("tcp"):
        here = connection.laddr[1] if connection.laddr else None
        if connection.status == psutil.CONN_LISTEN and here == port and connection.pid:
            return psutil.Process(connection.pid)
    raise ServerNotFound(f"no process that this user may look into listens on port {port}")


def memory_of(server: psutil.Process) -> float:
    """Return what a process and all below it hold, in MiB."""
    return held_bytes(server) / MEBIBYTE


@dataclass
class MemoryWatch:
    """Looks every so often.

    Attributes:
        server: The process; those below it are counted in.
        clock: Of the process.
        every: Seconds between two looks.
        seconds: When it looked, from the beginning.
        mebibytes: What it saw.
    """

    server: psutil.Process
    clock: Clock
    every: float = 1.0
    seconds: list[float] = field(default_factory=list)
    mebibytes: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Look until it is cancelled."""
        started = self.clock.monotonic()
        while True:
            self.seconds.append(self.clock.monotonic() - started)
            self.mebibytes.append(memory_of(self.server))
            await self.clock.sleep(self.every)

    def rise(self, *, after: float) -> float:
        """Return the lowest of the second half less the lowest of the first, in MiB, of what was seen after a time.

        What a server keeps for a while and gives back leaves its lowest as it was; what it never gives back does not.

        Args:
            after: seconds from the beginning.

        Raises:
            ValueError: that is too little to say anything.
        """
        seen = [each for when, each in zip(self.seconds, self.mebibytes, strict=True) if when >= after]
        if len(seen) < _FEWEST:
            raise ValueError(f"{len(seen)} samples tell nothing of memory; sample longer or more often")
        half = len(seen) // 2
        return min(seen[half:]) - min(seen[:half])

    def growth(self, *, after: float) -> Slope:
        """Return the growth in MiB an hour, of what was seen after so many seconds: of an hour it says something.

        Raises:
            ValueError: that is too little to say anything.
        """
        first = next((number for number, when in enumerate(self.seconds) if when >= after), len(self.seconds))
        return slope([when / _HOUR for when in self.seconds[first:]], self.mebibytes[first:])
