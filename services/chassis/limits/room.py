"""Room on the disk: what tells a store that has none left from one that is away."""

import shutil
from pathlib import Path

from services.chassis.errors import DependencyUnavailable, DomainError, StorageFull


class Room:
    """The room that stores have.

    Args:
        disk: A folder on the file system that they write to; None where it is not this machine's.
        floor_bytes: With less than this free they take nothing more.
    """

    def __init__(self, disk: Path | None, floor_bytes: int) -> None:
        self._disk = disk
        self._floor_bytes = floor_bytes

    def explain(self, error: DomainError) -> DomainError:
        """Return the error, or in place of one that is away the want of room that keeps it from answering."""
        return StorageFull.now() if isinstance(error, DependencyUnavailable) and self._is_used_up() else error

    def _is_used_up(self) -> bool:
        try:
            return self._disk is not None and shutil.disk_usage(self._disk).free < self._floor_bytes
        except OSError:
            return False
