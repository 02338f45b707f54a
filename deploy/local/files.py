"""Small files that are secret, or that must never be seen half written."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Replace a file, readable by its owner alone, in one step that also outlives a power failure."""
    unfinished = _write_beside(path, content, durable=True)
    unfinished.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_private(path: Path, content: bytes) -> None:
    """Replace a file, readable by its owner alone, in one step; for what a power failure makes untrue anyway."""
    _write_beside(path, content, durable=False).replace(path)


def _write_beside(path: Path, content: bytes, *, durable: bool) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(descriptor)
    return unfinished
