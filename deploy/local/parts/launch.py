"""Ties a program's life to its starter, drops privileges, then becomes the program.

Run as a script, in isolated mode: `launch.py PARENT_PID SIGNAL ACCOUNT REVEALS PROGRAM ARGUMENT...`, where ACCOUNT is
`UID:GID` to become that account, `@UID:GID` to seem to be it in a user namespace of its own, `-` to stay as it is.
REVEALS is a JSON list of paths that the account finds although they lie in folders that are not for it.
The order is fixed: changing the user clears the death signal, so that it has to be asked for last.
"""

import ctypes
import json
import os
import re
import signal
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)
_CLONE_NEWUSER = 0x10000000  # unshare(2)
_CLONE_NEWNS = 0x00020000
_MS_NOSUID, _MS_NODEV, _MS_REC, _MS_SLAVE, _MNT_DETACH = 2, 4, 16384, 1 << 19, 2  # mount(2), umount2(2)
_OPEN_TREE, _MOVE_MOUNT = 428, 429  # system calls without a function in the C library
_HERE, _CLONED, _WHOLE = -100, 1 | 0x8000, 4  # AT_FDCWD; OPEN_TREE_CLONE, AT_RECURSIVE; MOVE_MOUNT_F_EMPTY_PATH


def main(arguments: list[str]) -> None:
    """Becomes the program named in the arguments; returns only if the starter has already died."""
    parent, death_signal, account, reveals, *command = arguments
    _reveal(json.loads(reveals))
    os.umask(0o077)
    if account != "-":
        become = _seem if account.startswith("@") else _become
        become(*map(int, account.removeprefix("@").split(":")))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(death_signal)) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() == int(parent):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execv(command[0], command)  # noqa: S606


def _reveal(paths: list[str]) -> None:
    """Put an empty folder over each private one that hides a path, and in it the path: seen by this program alone."""
    from pathlib import Path

    hidden = {path: folder for path in map(Path, paths) if (folder := _private_folder_above(path))}
    if not hidden:
        return
    here = Path.cwd()
    _call("unshare", _CLONE_NEWNS)
    _mount("none", "/", _MS_REC | _MS_SLAVE)
    found = {path: _system(_OPEN_TREE, _HERE, os.fsencode(path), _CLONED) for path in sorted(hidden)}
    _let_go()
    for folder in sorted(set(hidden.values())):
        _mount("tmpfs", folder, _MS_NOSUID | _MS_NODEV, kind=b"tmpfs", options=b"mode=0755,size=1m")
    os.umask(0o022)
    for path, tree in found.items():
        _make_place(path, folder=stat.S_ISDIR(os.fstat(tree).st_mode))
        _system(_MOVE_MOUNT, tree, b"", _HERE, os.fsencode(path), _WHOLE)
        os.close(tree)
    os.chdir(here)


def _let_go() -> None:
    """Unmount what is mounted in private folders: out of reach here, it would stay in use when others unmount it."""
    from pathlib import Path

    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    places = [re.sub(rb"\\([0-7]{3})", _character, line.split(b" ")[4]) for line in lines]
    for place in reversed(places):
        if _private_folder_above(Path(os.fsdecode(place))):
            _call("umount2", place, _MNT_DETACH)


def _character(octal: "re.Match[bytes]") -> bytes:
    return bytes([int(octal[1], 8)])


def _private_folder_above(path: "Path") -> "Path | None":
    """Return the uppermost folder above a path that others than its owner cannot pass through."""
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & stat.S_IXOTH), None)


def _make_place(path: "Path", *, folder: bool) -> None:
    (path if folder else path.parent).mkdir(parents=True, exist_ok=True)
    if not folder:
        path.touch()


def _mount(
    source: str, target: "Path | str", flags: int, *, kind: bytes | None = None, options: bytes | None = None
) -> None:
    _call("mount", os.fsencode(source), os.fsencode(target), kind, ctypes.c_ulong(flags), options)


def _system(number: int, *arguments: object) -> int:
    result = int(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return result


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


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
