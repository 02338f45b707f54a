"""Files of epoch keys: the only copies, outside the database, so that destroying one cannot be undone by a backup.

A file holds the epoch's key sealed under the root key. `PELLICULE_EPOCH_DIR` must not be part of any backup.
"""

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

from services.chassis.backup_marks import mark
from services.retention.domain.keys import KEY_SIZE, Derivation, PurposeKey, WrappedKey, new_key
from services.retention.epochs.data_keys import DataKeyWrapper
from services.retention.epochs.wrapping import Wrapper, fingerprint
from services.retention.errors import EpochGone, RootKeyUnusable, WrapBroken

_SUFFIX = ".epoch"
_README = """\
The keys of epochs, a file for each of the last days, sealed under the root key.

No backup, snapshot or copy may hold this folder: with one, what people have deleted can be opened again for as long as
the copy lies there. That is why tools that make backups find CACHEDIR.TAG and .nobackup here.

Do not empty it either: what the keys of living epochs sealed is lost with them.
"""


@dataclass(frozen=True)
class _HeldKey:
    """The key of an epoch, and which file it was read from: another file may have taken its place since."""

    file: tuple[int, int]
    secret: bytes = field(repr=False)


class EpochFiles:
    """Implements `ports.EpochKeys` over a directory that all processes of this service share.

    Args:
        directory: Where the files are; made, for the owner alone, if it is not there.
        root_key: 32 bytes.
    """

    def __init__(self, directory: Path, root_key: bytes) -> None:
        self._directory = directory
        self._root = Wrapper(root_key)
        self._secrets: dict[str, _HeldKey] = {}
        self._shunned: frozenset[str] = frozenset()
        self._newest = ""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark(directory, _README)

    can_go_back = False
    """Who copies the folder has been told not to."""

    @property
    def place(self) -> str:
        """The folder and the root key, by their settings."""
        return "the folder PELLICULE_EPOCH_DIR and the file PELLICULE_ROOT_KEY_FILE"

    async def look(self) -> None:
        """Nothing is kept from one look to the next."""

    async def fetch(self, wanted: Collection[Derivation]) -> None:
        """Everything is at hand."""

    def require(self, wanted: Collection[Derivation]) -> None:
        """Everything is at hand."""

    async def ensure(self, epoch: str) -> bool:
        """Make the key of an epoch, or take the one that is there; tell whether it was made."""
        return self.make(epoch)

    async def end(self, epoch: str) -> None:
        """Destroys the key of an epoch for good."""
        self.destroy(epoch)

    def shun(self, epochs: Collection[str]) -> None:
        """Use the keys of these epochs never again, should they come back."""
        self._shunned = frozenset(epochs)

    def fingerprint(self, epoch: str) -> bytes:
        """Return what tells the key of an epoch from another key of its name."""
        return fingerprint(self._secret(epoch))

    @property
    def newest(self) -> str:
        """Id of the epoch that wraps now; empty before the first."""
        return self._newest

    def all(self) -> list[str]:
        """Return the ids of all epochs whose keys are there."""
        return sorted(path.stem for path in self._directory.glob(f"*{_SUFFIX}"))

    def has(self, epoch: str) -> bool:
        """Tell whether the key of an epoch is there and opens."""
        try:
            self._secret(epoch)
        except EpochGone:
            return False
        return True

    def make(self, epoch: str) -> bool:
        """Make the key of an epoch, or take the one that is there; tell whether it was made."""
        made = not self.path(epoch).exists() and self._write(epoch)
        self._secret(epoch)
        return made

    def begin(self, epoch: str) -> None:
        """Wrap under an epoch from now on, unless a newer one has begun."""
        self._newest = max(self._newest, epoch)

    def destroy(self, epoch: str) -> None:
        """Destroys the key of an epoch for good: overwritten, synced, unlinked, forgotten."""
        self._secrets.pop(epoch, None)
        path = self.path(epoch)
        if not path.exists():
            return
        with path.open("r+b", buffering=0) as file:
            file.write(os.urandom(path.stat().st_size))
            os.fsync(file.fileno())
        path.unlink(missing_ok=True)
        self._sync_directory()

    def wrap(self, secret: bytes, aad: bytes) -> WrappedKey:
        """Wrap a key under the newest epoch's.

        Raises:
            EpochGone: its key is lost.
        """
        return WrappedKey(self._newest, Wrapper(self._secret(self._newest)).wrap(secret, aad))

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> bytes:
        """Return a key in clear.

        Raises:
            EpochGone: the epoch's key is destroyed, or another one has taken its place.
        """
        try:
            return Wrapper(self._secret(wrapped.epoch)).unwrap(wrapped.sealed, aad)
        except WrapBroken as error:
            raise EpochGone(wrapped.epoch) from error

    def data_keys(self, key: PurposeKey, epochs: Collection[str] = ()) -> DataKeyWrapper:
        """Return what wraps and unwraps the data keys of a purpose key.

        Raises:
            EpochGone: the purpose key's epoch is destroyed, or another one has taken its place.
        """
        return DataKeyWrapper(key, self.unwrap(key.wrapped, key.aad), self._secret)

    def path(self, epoch: str) -> Path:
        """Return where the key of an epoch is, or would be."""
        return self._directory / f"{epoch}{_SUFFIX}"

    def _secret(self, epoch: str) -> bytes:
        """Return an epoch's key; one that another process made is read, one that it destroyed is forgotten."""
        if epoch in self._shunned:
            raise EpochGone(epoch)
        try:
            status = self.path(epoch).stat()
            file = (status.st_ino, status.st_mtime_ns)
            if epoch not in self._secrets or self._secrets[epoch].file != file:
                self._secrets[epoch] = _HeldKey(file, self._read(epoch))
        except (WrapBroken, FileNotFoundError) as error:
            self._secrets.pop(epoch, None)
            raise EpochGone(epoch) from error
        return self._secrets[epoch].secret

    def _read(self, epoch: str) -> bytes:
        return self._root.unwrap(self.path(epoch).read_bytes(), epoch.encode())

    def _write(self, epoch: str) -> bool:
        """Write a whole file or none; of two processes that try, one wins, is told so, and both use its key."""
        with NamedTemporaryFile(dir=self._directory, prefix=".new-") as file:  # made with mode 0600
            file.write(self._root.wrap(new_key(), epoch.encode()))
            file.flush()
            os.fsync(file.fileno())
            try:
                os.link(file.name, self.path(epoch))
            except FileExistsError:
                return False
        self._sync_directory()
        return True

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_root_key(file: Path) -> bytes:
    """Read the root key: 32 bytes in hex, readable by its owner alone.

    Raises:
        RootKeyUnusable: it is missing, malformed, or open to others.
    """
    try:
        status = file.stat()
        mode = stat.S_IMODE(status.st_mode)
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RootKeyUnusable.unreadable(file, error) from None
    if status.st_mode & _others_bits(status):
        raise RootKeyUnusable.open_to_others(file, mode)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_SIZE:
        raise RootKeyUnusable.malformed(file, KEY_SIZE)
    return key


def _others_bits(status: os.stat_result) -> int:
    """Return which bits would let others in; what root has mounted for a group is this process's if the group is."""
    mounted = status.st_uid == 0 != os.geteuid() and status.st_gid in {os.getegid(), *os.getgroups()}
    return stat.S_IRWXO | (stat.S_IRWXG & ~stat.S_IRGRP if mounted else stat.S_IRWXG)
