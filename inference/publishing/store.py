"""Published repositories in a bucket: `repositories/<name>/...`, and a manifest, which is written last.

The manifests lie apart, in `repository-manifests/`: there are loaders that copy whatever begins with
`repositories/<name>`.
"""

import shutil
from pathlib import Path
from typing import Final

from inference.folders import alone, file_digest, scratch_folder
from inference.objects import Bucket, Objects
from inference.publishing.errors import RepositoryDamaged, RepositoryInvalid, RepositoryMissing
from inference.publishing.manifest import Manifest, manifest_of, parse_manifest

_REPOSITORIES: Final = "repositories"
_MANIFESTS: Final = "repository-manifests"
_HERE: Final = ".published.json"  # no folder, so the server does not take it for a model


class RepositoryStore:
    """Bucket of published repositories; not for use by two threads at a time.

    Every call raises `StoreUnavailable` when the store does not answer, or refuses.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._objects = Objects(bucket)

    def close(self) -> None:
        """Close the connections."""
        self._objects.close()

    def publish(self, folder: Path, label: str) -> tuple[str, bool]:
        """Upload a model repository, its manifest last.

        Args:
            folder: the repository.
            label: says to people what it is for.

        Returns:
            Its name, and whether it is new there.

        Raises:
            RepositoryInvalid: the folder is no repository, or the label cannot be.
        """
        manifest = manifest_of(folder, label)
        name = manifest.name
        if self._objects.read(_manifest(name)) is not None:
            return name, False
        for place in manifest.files:
            self._objects.upload(folder / place, f"{_REPOSITORIES}/{name}/{place}")
        return name, self._objects.commit(_manifest(name), manifest.model_dump_json().encode())

    def fetch(self, name: str, folder: Path) -> bool:
        """Make a folder hold a published repository, and nothing else; return whether anything had to be fetched.

        Raises:
            RepositoryMissing: there is none of this name; nothing was changed.
            RepositoryInvalid: its manifest is not as it was written; likewise.
            RepositoryDamaged: a file is not the one that was published; likewise.
            ObjectMissing: a file is gone; likewise.
        """
        manifest = self._manifest(name)
        with alone(folder):
            if _lies_in(folder, manifest):
                return False
            with scratch_folder(folder) as scratch:
                for place in manifest.files:
                    self._get(manifest, place, scratch / place)
                _put_in_place(scratch, folder, manifest)
        return True

    def _manifest(self, name: str) -> Manifest:
        text = self._objects.read(_manifest(name))
        if text is None:
            message = f"no repository {name} is published in {self._objects.place}; `pellicule models publish` names it"
            raise RepositoryMissing(message, field=name)
        return parse_manifest(text, name)

    def _get(self, manifest: Manifest, place: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._objects.download(f"{_REPOSITORIES}/{manifest.name}/{place}", path)
        if file_digest(path) != manifest.files[place].sha256:
            message = f"{place} of {manifest.name} has another digest than was published; publish it under a new label"
            raise RepositoryDamaged(message, field=place)


def _manifest(name: str) -> str:
    return f"{_MANIFESTS}/{name}.json"


def _lies_in(folder: Path, manifest: Manifest) -> bool:
    """Return whether a folder was made of this manifest, and holds what it says."""
    try:
        parse_manifest((folder / _HERE).read_bytes(), manifest.name)
        whole = all(file_digest(folder / place) == file.sha256 for place, file in manifest.files.items())
        return whole and _models_in(folder) == manifest.models
    except (FileNotFoundError, RepositoryInvalid):
        return False


def _put_in_place(scratch: Path, folder: Path, manifest: Manifest) -> None:
    """Take away what was there, and give what was fetched its names; the manifest last, which makes it whole."""
    for other in _models_in(folder):
        shutil.rmtree(folder / other)
    for each in scratch.iterdir():
        each.rename(folder / each.name)
    (folder / _HERE).write_text(manifest.model_dump_json(), "utf-8")


def _models_in(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")))
