"""Manifest of a published repository: its files with their digests, and the name that follows from them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from inference.folders import file_digest
from inference.model_build.manifest import Digest
from inference.publishing.errors import RepositoryInvalid

_DIGITS: Final = 12
_CONFIG: Final = "config.pbtxt"


def _below(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or any(part.startswith(".") for part in parts):
        raise ValueError("leads out of the repository, or to what is hidden in it")
    return path


Label = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.-]{0,40}$")]
Place = Annotated[str, AfterValidator(_below)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(_Document):
    """What a file holds."""

    sha256: Digest
    size_bytes: Annotated[int, Field(ge=0)]


class Manifest(_Document):
    """What is in a published repository.

    Attributes:
        label: says to people what it is for, such as "cpu" or "gpu-sm90".
        files: place below the repository -> what is there.
    """

    schema_version: Literal[1] = 1
    label: Label
    files: Annotated[Mapping[Place, File], Field(min_length=1)]

    @property
    def name(self) -> str:
        """The label, and the first hex digits of SHA-256 over all files: another content is another name."""
        listed = "".join(f"{file.sha256}  {place}\n" for place, file in sorted(self.files.items()))
        return f"{self.label}-{hashlib.sha256(listed.encode()).hexdigest()[:_DIGITS]}"

    @property
    def models(self) -> tuple[str, ...]:
        """The models, which are its folders."""
        return tuple(sorted({place.partition("/")[0] for place in self.files if "/" in place}))


def manifest_of(folder: Path, label: str) -> Manifest:
    """Describe a model repository as it lies in a folder; what is hidden there is no part of it.

    Raises:
        RepositoryInvalid: it holds no model, or a model without a configuration; or the label cannot be.
    """
    files = {place: File(sha256=file_digest(path), size_bytes=path.stat().st_size) for place, path in _files(folder)}
    models = {place.partition("/")[0] for place in files if "/" in place}
    bare = sorted(model for model in models if f"{model}/{_CONFIG}" not in files)
    if not models or bare:
        what = f"{bare[0]} has no {_CONFIG}" if bare else "it holds no model"
        raise RepositoryInvalid(f"{folder} is no model repository: {what}; assemble it anew", field=str(folder))
    try:
        return Manifest(label=label, files=files)
    except ValidationError as error:
        message = f"{label!r} is no label; give small letters, digits, dots and dashes, such as cpu or gpu-sm90"
        raise RepositoryInvalid(message, field="label") from error


def parse_manifest(text: bytes, name: str) -> Manifest:
    """Read the manifest of the repository that is published under a name.

    Raises:
        RepositoryInvalid: it cannot be read, or is another one's.
    """
    try:
        found = Manifest.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise RepositoryInvalid(f"the manifest of {name}: {where}: {fault['msg']}; publish anew", field=name) from error
    if found.name != name:
        raise RepositoryInvalid(f"the manifest of {name} is of {found.name}; publish it anew", field=name)
    return found


def _files(folder: Path) -> list[tuple[str, Path]]:
    found = [(path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")) if path.is_file()]
    return [(place, path) for place, path in found if not any(part.startswith(".") for part in place.split("/"))]
