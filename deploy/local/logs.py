"""Logs of bounded size: a long one is put aside, and of those put aside a few are kept."""

import contextlib
import os
import shutil
from pathlib import Path


def rotate(log: Path, *, limit: int, kept: int) -> None:
    """Put a log of more than `limit` bytes aside as `.1`, over the one that was put aside `kept` times ago.

    The server keeps its file open and adds to the end, so the file stays and only what is in it goes. On a full disk
    it goes without having been put aside: room for the servers is worth more.
    """
    if not log.exists() or log.stat().st_size <= limit:
        return
    for number in range(kept - 1, 0, -1):
        if aside(log, number).exists():
            aside(log, number).replace(aside(log, number + 1))
    newest = aside(log, 1)
    try:
        shutil.copyfile(log, newest)
    except OSError:
        newest.unlink(missing_ok=True)
    os.truncate(log, 0)


def aside(log: Path, number: int) -> Path:
    """Return the file of a log that was put aside that many times ago."""
    return log.with_name(f"{log.name}.{number}")


def rotate_all(folder: Path, *, limit: int, kept: int) -> None:
    """Put the long logs of a folder aside."""
    for log in folder.glob("*.log"):
        with contextlib.suppress(OSError):  # a full or broken disk ends no supervisor
            rotate(log, limit=limit, kept=kept)
