"""Room on a stack's disk: what a start needs of it, and when it counts as full."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.home import StackHome

DISK_FULL = "the disk is full: make room, and it goes on"
"""What is said of a part that does not answer, or cannot be started, for want of room."""
_MB = 1 << 20
KEPT_FREE_MB = 192
"""Below this the object store takes nothing more: what is left is for the databases, which mind more.

PostgreSQL ends at once when it cannot write down a change, and wants room to recover.
"""
FULL_MB = KEPT_FREE_MB + 32
"""The object store looks once a minute: it may stop a little later than the rule says."""
_FIRST_START_MB: Mapping[str, int] = {"postgres": 100, "nats": 1, "seaweedfs": 2, "minio": 2, "triton": 170}
"""What each server writes before a first photo: databases, write-ahead log, the assembled models."""
_FIRST_UPLOADS_MB = 128


def check_disk(home: StackHome, object_store: str) -> None:
    """Make sure that a start has the room that it needs.

    Raises:
        StackError: DISK_FULL, with how much is missing.
    """
    new = [part for part in _FIRST_START_MB if not home.data(part).exists()]
    starting = sum(_FIRST_START_MB[part] for part in new if part not in _other_stores(object_store))
    needed, free = starting + FULL_MB + _FIRST_UPLOADS_MB, free_megabytes(home.path)
    if free < needed:
        shortage = f"{free} MB are free under {home.path}, {needed} MB are needed"
        raise StackError("DISK_FULL", f"{shortage}: make room, or set PELLICULE_HOME to another disk", field="home")


def is_full(folder: Path) -> bool:
    """Say whether so little is free that servers may fail for it: starting them again would not help them."""
    return free_megabytes(folder) < FULL_MB


def free_megabytes(folder: Path) -> int:
    """Return what an ordinary account may still write on the disk of a folder."""
    return shutil.disk_usage(folder).free // _MB


def _other_stores(object_store: str) -> frozenset[str]:
    return frozenset({"seaweedfs", "minio"}) - {object_store}
