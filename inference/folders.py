"""Folders that appear whole or not at all, made by one process at a time.

The model build, the slots and the engines install what they made in this one way: under the lock, in a scratch folder
beside the finished ones, which gets its name by one rename.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCK_FILE: Final = ".lock"
_SCRATCH: Final = ".making-"


def user_cache(name: str) -> Path:
    """Return a folder of Pellicule's part of the user's cache, which all stacks of one user share."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pellicule" / name


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Let one process make something at a time; what a killed one left half-made is removed."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in home.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextlib.contextmanager
def scratch_folder(home: Path) -> Iterator[Path]:
    """Yield a folder beside the finished ones, and remove whatever is left of it."""
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=home))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def move_into_place(scratch: Path, target: Path) -> None:
    """Give a finished folder its name by one rename; what was half-made under that name goes first."""
    scratch.chmod(0o755)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    scratch.rename(target)


def link(source: Path, target: Path) -> None:
    """Give a file a second name by one rename: a link on one file system, else a copy."""
    half_made = target.with_suffix(".installing")
    half_made.unlink(missing_ok=True)
    try:
        with contextlib.suppress(OSError):
            half_made.hardlink_to(source)
        if not half_made.exists():
            shutil.copyfile(source, half_made)
        # To the system, two names of one file replace nothing: the first name stays, and goes below.
        half_made.replace(target)
    finally:
        half_made.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
