"""Journal in a directory, for one machine: every object is on the disk before it is said to be stored."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

from services.chassis.backup_marks import mark
from services.chassis.errors import DependencyUnavailable

_DIGITS = 16
_SUFFIX = ".json"

_README = """\
The journal of destructions: what was withdrawn, erased and ended, a numbered file for each record, without a name.

No backup of the databases may hold this folder: a journal that is restored with them is as old as they are, and what
was destroyed since would be readable again. That is why tools that make backups find CACHEDIR.TAG and .nobackup here.
Mirror it to another disk instead, file by file as they come: a file never changes.

Do not empty it either: the services stay shut until its loss is accepted.
"""

ResultT = TypeVar("ResultT")


class JournalDirectory:
    """Implements `ports.JournalObjects`.

    Args:
        directory: Where the objects are: on another disk than the databases, or at least in none of their backups.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def create(self, number: int, data: bytes) -> bool:
        """Store an object whole or not at all: written, synced, linked under its name unless that is taken."""
        return await self._run(lambda: self._create(number, data))

    async def read(self, number: int) -> bytes | None:
        """Return an object."""
        return await self._run(lambda: self._read(number))

    async def newest(self, after: int = -1) -> int | None:
        """Return the highest number above `after`."""
        return await self._run(lambda: self._newest(after))

    async def store_time(self, number: int) -> datetime | None:
        """Return when an object was stored."""
        return await self._run(lambda: self._store_time(number))

    def path(self, number: int) -> Path:
        """Return where an object is, or would be."""
        return self._directory / f"{number:0{_DIGITS}}{_SUFFIX}"

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise DependencyUnavailable.of("journal") from error

    def _create(self, number: int, data: bytes) -> bool:
        self._directory.mkdir(parents=True, exist_ok=True)
        mark(self._directory, _README)
        with NamedTemporaryFile(dir=self._directory, prefix=".new-") as file:
            os.fchmod(file.fileno(), 0o644)  # every service reads it, whatever account it runs as
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            try:
                os.link(file.name, self.path(number))
            except FileExistsError:
                return False
        self._sync()
        return True

    def _read(self, number: int) -> bytes | None:
        try:
            return self.path(number).read_bytes()
        except FileNotFoundError:
            return None

    def _store_time(self, number: int) -> datetime | None:
        try:
            return datetime.fromtimestamp(self.path(number).stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def _newest(self, after: int) -> int | None:
        try:
            names = [path.name for path in self._directory.iterdir()]
        except FileNotFoundError:
            return None
        numbers = (int(name.removesuffix(_SUFFIX)) for name in names if name[:1].isdigit())
        return max((number for number in numbers if number > after), default=None)

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
