"""Image archives as `docker save` writes them: what an image consists of, without starting it."""

import hashlib
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

_REMOVED = ".wh."
_EMPTIED = ".wh..wh..opq"


class ArchiveUnreadable(Exception):
    """A file is no archive of one image."""


@dataclass(frozen=True)
class Layer:
    """One layer of an image.

    Attributes:
        made_by: The step that made it, as its image tells it.
        size: Bytes, unpacked.
    """

    made_by: str
    size: int


@dataclass(frozen=True)
class ImageArchive:
    """An image in a file.

    Attributes:
        path: The file.
        name: The image's name and tag.
        image_id: SHA-256 of its configuration, in hex: what it is called where it was loaded.
        layers: The lowest first.
        files: Content of the files that were asked for, by their path in the image, without a leading slash.
    """

    path: Path
    name: str
    image_id: str
    layers: Sequence[Layer]
    files: Mapping[str, bytes]

    @property
    def size(self) -> int:
        """Bytes of all its layers, unpacked."""
        return sum(layer.size for layer in self.layers)

    def digest(self) -> str:
        """Return the SHA-256 of the file, in hex."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def read_archive(path: Path, wants: Callable[[str], bool]) -> ImageArchive:
    """Read an archive.

    Args:
        path: The file.
        wants: Says of a path in the image whether its content is wanted.

    Raises:
        ArchiveUnreadable: it is no archive of one image.
    """
    try:
        with tarfile.open(path) as archive:
            return _read(path, archive, wants)
    except (tarfile.TarError, KeyError, ValueError, IndexError) as error:
        raise ArchiveUnreadable(f"{path} is no archive of one image ({error}): build it anew") from error


def _read(path: Path, archive: tarfile.TarFile, wants: Callable[[str], bool]) -> ImageArchive:
    (image,) = json.loads(_member(archive, "manifest.json").read())
    config = _member(archive, image["Config"]).read()
    files: dict[str, bytes] = {}
    sizes = [_unpack(_member(archive, name), wants, files) for name in image["Layers"]]
    steps = [step.get("created_by", "") for step in json.loads(config)["history"] if not step.get("empty_layer")]
    return ImageArchive(
        path=path,
        name=(image["RepoTags"] or [path.stem])[0],
        image_id=hashlib.sha256(config).hexdigest(),
        layers=[Layer(*each) for each in zip(steps, sizes, strict=True)],
        files=files,
    )


def _unpack(layer: IO[bytes], wants: Callable[[str], bool], files: dict[str, bytes]) -> int:
    """Lay a layer over the files found so far; return how large it is."""
    size = 0
    with tarfile.open(fileobj=layer) as tar:
        for member in tar:
            path = PurePosixPath("/", member.name).relative_to("/")
            size += member.size
            if path.name.startswith(_REMOVED):
                _remove(path, files)
            elif member.isreg() and wants(str(path)):
                files[str(path)] = _member(tar, member.name).read()
    return size


def _remove(mark: PurePosixPath, files: dict[str, bytes]) -> None:
    gone = mark.parent if mark.name == _EMPTIED else mark.parent / mark.name.removeprefix(_REMOVED)
    for path in [path for path in files if PurePosixPath(path).is_relative_to(gone)]:
        del files[path]


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    if found is None:
        raise KeyError(f"{name} is no file")
    return found
