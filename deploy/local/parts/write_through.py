"""Write-through folders: whatever is written below one is on the disk when the write returns."""

import array
import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

# <linux/fs.h>; ext4 and XFS hand the flag on to what is made in a folder that has it.
_GET_FLAGS: Final = 0x80086601
_SET_FLAGS: Final = 0x40086602
_SYNC: Final = 0x8


def write_through(folder: Path) -> None:
    """Let everything below a folder, what is there and what comes, be written through where its file system can."""
    with contextlib.suppress(OSError):
        _set(folder)
        for each in folder.rglob("*"):
            if stat.S_IFMT(each.lstat().st_mode) in (stat.S_IFREG, stat.S_IFDIR):
                _set(each)


def writes_through(folder: Path) -> bool:
    """Tell whether the file system of a folder can do it: a file made in such a folder has the flag as well."""
    with contextlib.suppress(OSError), TemporaryDirectory(dir=folder, prefix=".write-through-") as made:
        _set(Path(made))
        inside = Path(made) / "file"
        inside.touch()
        return bool(_flags(inside) & _SYNC)
    return False


def _set(path: Path) -> None:
    flags = _flags(path)
    if not flags & _SYNC:
        with _opened(path) as descriptor:
            fcntl.ioctl(descriptor, _SET_FLAGS, array.array("L", [flags | _SYNC]))


def _flags(path: Path) -> int:
    flags = array.array("L", [0])
    with _opened(path) as descriptor:
        fcntl.ioctl(descriptor, _GET_FLAGS, flags)
    return flags[0] & 0xFFFFFFFF


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
