"""Small files that are secret, or that must never be seen half written."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file, readable by its owner alone, in one step."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    unfinished.replace(path)
