"""Folders that appear whole or not at all, and one process at a time that makes them."""

import contextlib
import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCK_FILE: Final = ".lock"
_SCRATCH: Final = ".making-"


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Lets one process make something at a time; what a killed one left half-made is removed."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in home.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextlib.contextmanager
def scratch_folder(home: Path) -> Iterator[Path]:
    """Gives a folder beside the finished ones, and removes whatever is left of it."""
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=home))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def settle(scratch: Path, target: Path) -> None:
    """Gives a finished folder its name by one rename; what was half-made under that name goes first."""
    scratch.chmod(0o755)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    scratch.rename(target)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
