"""Ties a program's life to its starter, drops privileges, then becomes the program.

Run as a script, in isolated mode: `launch.py PARENT_PID SIGNAL UID:GID|- PROGRAM ARGUMENT...`.
The order is fixed: changing the user clears the death signal, so that it has to be asked for last.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(arguments: list[str]) -> None:
    """Becomes the program named in the arguments; returns only if the starter has already died."""
    parent, death_signal, account, *command = arguments
    os.umask(0o077)
    if account != "-":
        _become(*map(int, account.split(":")))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(death_signal)) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() == int(parent):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execv(command[0], command)  # noqa: S606


def _become(user: int, group: int) -> None:
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)


if __name__ == "__main__":
    main(sys.argv[1:])
