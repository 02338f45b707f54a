"""Profiles that engines are built with: batch sizes and limits, kept as data in `profiles.toml`."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from inference.engines.deltas import Limit
from inference.engines.documents import Document, first_fault
from inference.engines.errors import ProfileInvalid
from inference.model_build.manifest import FOLDER, MANIFEST_FILE

PROFILES_FILE: Final = Path(__file__).with_name("profiles.toml")
Positive = Annotated[int, Field(gt=0)]


class Batch(Document):
    """The batch sizes that a plan takes, and the one that it is tuned for."""

    least: Positive
    tuned: Positive
    most: Positive

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.least <= self.tuned <= self.most:
            raise ValueError("batch sizes must not fall: least, tuned, most")
        return self


class Profile(Document):
    """How one model is built.

    Attributes:
        batch: the sizes of the free first dimension.
        half: whether FP16 is tried.
        limits: what an answer must keep to.
        shapes: sizes for inputs whose other dimensions are free in the graph, without the batch.
        source: the built model with the graph; the one of the same name when it is left out.
    """

    batch: Batch
    half: bool
    limits: Annotated[tuple[Limit, ...], Field(min_length=1)]
    shapes: Mapping[str, tuple[Positive, ...]] = Field(default_factory=dict)
    source: str | None = None


_PROFILES: Final = TypeAdapter(dict[str, Profile])


def profiles(path: Path = PROFILES_FILE) -> Mapping[str, Profile]:
    """Read the table: model -> profile.

    Raises:
        ProfileInvalid: it is no TOML or breaks a rule; the message names the row.
    """
    try:
        return _PROFILES.validate_python(tomllib.loads(path.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ProfileInvalid(f"{path}: not TOML: {error}", field=path.name) from error
    except ValidationError as error:
        where, rule = first_fault(error)
        raise ProfileInvalid(f"{path}: {where}: {rule}", field=where) from error


def profile(model: str) -> Profile:
    """Return the profile of one model.

    Raises:
        ProfileInvalid: it has none.
    """
    try:
        return profiles()[model]
    except KeyError as error:
        message = f"{PROFILES_FILE.name} has no [{model}]; add its batch sizes and limits"
        raise ProfileInvalid(message, field=model) from error


def served_models(names: Sequence[str]) -> Mapping[str, str]:
    """Return served model -> the built model that its graph is from.

    Args:
        names: the served models; all that have a profile and a model when it is empty.

    Raises:
        ProfileInvalid: one of them has no profile.
    """
    if names:
        return {name: profile(name).source or name for name in names}
    sources = {name: each.source or name for name, each in profiles().items()}
    return {name: source for name, source in sources.items() if (FOLDER / source / MANIFEST_FILE).exists()}
