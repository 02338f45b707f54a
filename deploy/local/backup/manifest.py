"""Manifest of a backup: every file with its digest, written last, so that a backup without one is incomplete."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.files import write_private

_NAME = "manifest.json"
_FORMAT = 1
_PIECE = 1024 * 1024


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Attributes:
        time: When it was begun, ISO 8601.
        object_store: The S3 server that the objects came from.
        files: Digests (SHA-256) by path in the backup.
    """

    time: str
    object_store: str
    files: Mapping[str, str]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a backup that is complete."""
    write_private(folder / _NAME, json.dumps({"format": _FORMAT, **asdict(manifest)}, indent=1).encode())


def checked_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup of which every file is there as it was written.

    Raises:
        StackError: BACKUP_INCOMPLETE, BACKUP_DAMAGED or BACKUP_UNKNOWN.
    """
    try:
        fields = json.loads((folder / _NAME).read_bytes())
    except FileNotFoundError:
        raise _refused("BACKUP_INCOMPLETE", folder, "it has no manifest: it was not finished, or is none") from None
    except ValueError as error:
        raise _refused("BACKUP_DAMAGED", folder, f"its manifest cannot be read ({error})") from error
    if fields.pop("format", None) != _FORMAT:
        raise _refused("BACKUP_UNKNOWN", folder, "a later release made it: restore it with that one")
    manifest = Manifest(**fields)
    for name, expected in manifest.files.items():
        _check(folder, name, expected)
    return manifest


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with file.open("rb") as content:
        while piece := content.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def _check(folder: Path, name: str, expected: str) -> None:
    try:
        found = digest(folder / name)
    except FileNotFoundError:
        raise _refused("BACKUP_INCOMPLETE", folder, f"{name} is missing") from None
    if found != expected:
        raise _refused("BACKUP_DAMAGED", folder, f"{name} is not as it was written")


def _refused(reason: str, folder: Path, why: str) -> StackError:
    return StackError(reason, f"the backup in {folder} is not restored: {why}", field="DIR")
