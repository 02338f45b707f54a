"""Fetches Debian packages with the machine's own apt, and reads them; nothing is installed, no rights are needed."""

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from deploy.samples.errors import PackageUnreadable

_SECONDS: Final = 300
# No other user: the folder belongs to this one. A machine without a network must not keep anybody waiting.
_OPTIONS: Final = ("-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20")


def fetch(package: str, folder: Path) -> Path | None:
    """Download a package into a folder; nothing when there is no apt, or when apt cannot have it.

    A machine whose package lists are empty, as in a fresh container, is given lists of its own under the folder.
    """
    if shutil.which("apt-get") is None:
        return None
    if not _apt(folder, "download", package):
        private = _private_lists(folder)
        if not (_apt(folder, *private, "update") and _apt(folder, *private, "download", package)):
            return None
    return next(iter(sorted(folder.glob(f"{package}_*.deb"))), None)


def members(package: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path (without a leading `./`) and the content of every regular file of a package.

    Raises:
        PackageUnreadable: it is no Debian package, or it is damaged.
    """
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unpacking:
        try:
            with tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive:
                for member in archive:
                    file = archive.extractfile(member) if member.isreg() else None
                    if file is not None:
                        yield str(PurePosixPath(member.name)), file.read()
        except tarfile.TarError as error:
            raise PackageUnreadable(f"{package.name} is damaged ({error}); delete it and run again") from error
    if unpacking.returncode:
        raise PackageUnreadable(f"{package.name} is no whole Debian package; delete it and run again")


def _apt(folder: Path, *arguments: str) -> bool:
    command = ["apt-get", "-qq", *_OPTIONS, *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=_SECONDS, env=os.environ | {"LC_ALL": "C"}, check=False
        )
    except (subprocess.TimeoutExpired, OSError):
        return False
    return done.returncode == 0


def _private_lists(folder: Path) -> list[str]:
    state, cache = folder / "apt-state", folder / "apt-cache"
    for place in (state / "lists" / "partial", cache / "archives" / "partial"):
        place.mkdir(parents=True, exist_ok=True)
    return ["-o", f"Dir::State={state}", "-o", f"Dir::Cache={cache}", "-o", "Dir::State::status=/var/lib/dpkg/status"]


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a folder to download into; it goes away with what lies in it."""
    return tempfile.TemporaryDirectory(prefix="pellicule-samples-")
