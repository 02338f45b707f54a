"""Begin of a process in a container: `python -m services.chassis.container MODULE ...` runs a module as `-m` does.

There it is process 1, to which the kernel gives no signal that it has not asked for: told to stop while it still loads
its modules, or waits for its schema, it would go on until it is killed at the end of its time.
"""

import runpy
import signal
import sys
from types import FrameType


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)  # a server that has begun to serve replaces it, and ends gracefully
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
