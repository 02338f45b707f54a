"""Folder of one stack: what lies where. One folder, one stack; another folder, another stack beside it."""

import os
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError, home_unusable

HOME_VARIABLE = "PELLICULE_HOME"


@dataclass(frozen=True)
class StackHome:
    """The paths under a stack's folder; all of it is its owner's alone."""

    path: Path

    def make(self) -> None:
        """Make the folder, its owner's alone, if it is not there.

        Raises:
            StackError: HOME_UNUSABLE.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise home_unusable(self.path, str(error.strerror)) from error
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            raise home_unusable(self.path, "it belongs to another account")

    @property
    def lock(self) -> Path:
        """Locked by the supervisor for as long as it lives."""
        return self.path / "lock"

    @property
    def state(self) -> Path:
        """What runs, for `pellicule status` and for the one that cleans up after a crash."""
        return self.path / "state.json"

    @property
    def ports(self) -> Path:
        """The ports used last, asked for again at the next start."""
        return self.path / "ports.json"

    @property
    def secrets(self) -> Path:
        """Passwords of the servers' users."""
        return self.path / "secrets.json"

    @property
    def object_store(self) -> Path:
        """Says which S3 server has this stack's objects."""
        return self.path / "object-store"

    @property
    def settings(self) -> Path:
        """What the operator has written down: a line `NAME=VALUE` for each setting."""
        return self.path / "settings"

    @property
    def epochs(self) -> Path:
        """Retention's epoch keys, a file each."""
        return self.path / "epochs"

    @property
    def journal(self) -> Path:
        """The journal of destructions, which every service reads: part of no backup, as it must be ahead of each."""
        return self.path / "journal"

    @property
    def authority(self) -> Path:
        """Certificate of the local authority, PEM: what a stranger needs besides a token."""
        return self.path / "pki" / "authority.pem"

    @property
    def receipt_key(self) -> Path:
        """Public key of the receipts, PEM: what a person pins to check them with."""
        return self.path / "pki" / "receipts-public.pem"

    def key(self, name: str) -> Path:
        """Return the place of a key file."""
        return self.path / "keys" / name

    def certificate(self, service: str) -> tuple[Path, Path]:
        """Return the places of a service's certificate and of its private key."""
        return self.path / "pki" / f"{service}.pem", self.path / "pki" / f"{service}-key.pem"

    @property
    def all_data(self) -> Path:
        """The folder of all parts' data."""
        return self.path / "data"

    def data(self, part: str) -> Path:
        """Return the folder of a part's data."""
        return self.all_data / part

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.path / "logs"

    def log(self, part: str) -> Path:
        """Return the log file of a part."""
        return self.logs / f"{part}.log"


def default_home() -> StackHome:
    """Return `$PELLICULE_HOME`, or `~/.local/share/pellicule`.

    Raises:
        StackError: HOME_UNKNOWN.
    """
    chosen = os.environ.get(HOME_VARIABLE)
    try:
        path = Path(chosen) if chosen else Path.home() / ".local" / "share" / "pellicule"
        return StackHome(path.expanduser().absolute())
    except RuntimeError as error:
        message = f"account {os.geteuid()} has no home folder: set {HOME_VARIABLE} to a folder for the stack"
        raise StackError("HOME_UNKNOWN", message, field=HOME_VARIABLE) from error
