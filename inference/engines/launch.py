"""Becomes another program that dies with its starter: python launch.py STARTER PROGRAM ARGUMENT..."""

import ctypes
import os
import signal
import sys

_SET_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


def main() -> None:
    """Asks the kernel for the signal, and leaves at once when the starter died before it could."""
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - an argument list, no shell


if __name__ == "__main__":
    main()
