"""Ties a program's life to its starter, drops privileges, then becomes the program.

Run as a script, in isolated mode: `launch.py PARENT_PID SIGNAL ACCOUNT PROGRAM ARGUMENT...`, where ACCOUNT is
`UID:GID` to become that account, `@UID:GID` to seem to be it in a user namespace of its own, `-` to stay as it is.
The order is fixed: changing the user clears the death signal, so that it has to be asked for last.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)
_CLONE_NEWUSER = 0x10000000  # unshare(2)


def main(arguments: list[str]) -> None:
    """Becomes the program named in the arguments; returns only if the starter has already died."""
    parent, death_signal, account, *command = arguments
    os.umask(0o077)
    if account != "-":
        become = _seem if account.startswith("@") else _become
        become(*map(int, account.removeprefix("@").split(":")))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(death_signal)) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() == int(parent):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execv(command[0], command)  # noqa: S606


def _become(user: int, group: int) -> None:
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)


def _seem(user: int, group: int) -> None:
    """Give oneself another number, and so a name: some programs refuse an account that has none."""
    from pathlib import Path

    own = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {own[0]} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {own[1]} 1", encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1:])
