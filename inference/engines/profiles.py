"""The profiles that engines are built with: batch sizes and limits, kept as data in `profiles.toml`."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from inference.engines.errors import ProfileInvalid
from inference.engines.metrics import METRICS
from inference.model_build.manifest import FOLDER, MANIFEST_FILE

PROFILES_FILE: Final = Path(__file__).with_name("profiles.toml")
Positive = Annotated[int, Field(gt=0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Batch(_Table):
    """The batch sizes that a plan takes, and the one that it is tuned for."""

    least: Positive
    tuned: Positive
    most: Positive

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.least <= self.tuned <= self.most:
            raise ValueError("batch sizes must not fall: least, tuned, most")
        return self


class Limit(_Table):
    """How far an output may lie from ONNX Runtime's."""

    output: str
    metric: str
    most: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _has_a_known_metric(self) -> Self:
        if self.metric not in METRICS:
            raise ValueError(f"there is no metric {self.metric!r}; there are {', '.join(sorted(METRICS))}")
        return self


class Profile(_Table):
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


_PROFILES = TypeAdapter(dict[str, Profile])


def profiles(path: Path = PROFILES_FILE) -> Mapping[str, Profile]:
    """Reads the table: model -> profile.

    Raises:
        ProfileInvalid: it is no TOML or breaks a rule; the message names the row.
    """
    try:
        return _PROFILES.validate_python(tomllib.loads(path.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ProfileInvalid(f"{path}: not TOML: {error}", field=path.name) from error
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise ProfileInvalid(f"{path}: {where}: {fault['msg']}", field=where) from error


def profile(model: str) -> Profile:
    """The profile of one model.

    Raises:
        ProfileInvalid: it has none.
    """
    known = profiles()
    if model not in known:
        raise ProfileInvalid(f"{PROFILES_FILE.name} has no [{model}]; add its batch sizes and limits", field=model)
    return known[model]


def served_models(names: Sequence[str]) -> Mapping[str, str]:
    """Served model -> the built model that its graph is from.

    Args:
        names: the served models; all that have a profile and a model when it is empty.

    Raises:
        ProfileInvalid: one of them has no profile.
    """
    if names:
        return {name: profile(name).source or name for name in names}
    sources = {name: each.source or name for name, each in profiles().items()}
    return {name: source for name, source in sources.items() if (FOLDER / source / MANIFEST_FILE).exists()}
