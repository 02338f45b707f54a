"""Targets of a plan: the serving image, its TensorRT, the GPU's compute capability."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from inference.engines.errors import TargetUnknown

TARGETS_FILE: Final = Path(__file__).with_name("targets.toml")
DEFAULT_TAG: Final = "24.10-py3"
OLDEST_MAJOR: Final = 10
_VERSION: Final = re.compile(r"^\d+\.\d+\.\d+(\.\d+)?$")
_TAG: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._]*(-[A-Za-z0-9._]+)*$")

Tag = Annotated[str, StringConstraints(pattern=_TAG.pattern)]
Version = Annotated[str, StringConstraints(pattern=_VERSION.pattern)]


class Target(BaseModel):
    """A plan runs on this, and on nothing else.

    Attributes:
        triton_tag: the tag of the serving image.
        tensorrt: its TensorRT version with all parts that it tells, such as "10.5.0.18".
        sm: the GPU's compute capability without its point: 90 for 9.0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    triton_tag: Tag
    tensorrt: Version
    sm: Annotated[int, Field(ge=50, le=999)]

    @property
    def major(self) -> int:
        """The major version of TensorRT, which decides how it is called."""
        return int(self.tensorrt.partition(".")[0])

    def __str__(self) -> str:
        return f"Triton {self.triton_tag}, TensorRT {self.tensorrt}, SM {self.sm}"


def target(*, triton_tag: str = DEFAULT_TAG, tensorrt: str | None = None, sm: int | None, gpu: str | None) -> Target:
    """Return a target without asking a node.

    Args:
        triton_tag: the tag of the serving image.
        tensorrt: its TensorRT; looked up by the tag when it is left out.
        sm: the compute capability without its point.
        gpu: or the GPU's name, such as "L4".

    Raises:
        TargetUnknown: a table has no such row, or something is malformed.
    """
    if not _TAG.match(triton_tag):
        raise TargetUnknown(f"{triton_tag!r} is no image tag; name one such as {DEFAULT_TAG}", field="triton-tag")
    version = tensorrt or _tensorrt_of(triton_tag)
    if not _VERSION.match(version):
        raise TargetUnknown(f"{version!r} is no TensorRT version; give it as 10.5.0.18", field="tensorrt")
    check_major(version)
    return Target(triton_tag=triton_tag, tensorrt=version, sm=_capability(sm, gpu))


def check_major(version: str) -> None:
    """Refuse versions that know no strongly typed networks.

    Raises:
        TargetUnknown: the version is older than TensorRT 10.
    """
    if int(version.partition(".")[0]) < OLDEST_MAJOR:
        raise TargetUnknown(
            f"TensorRT {version} is too old for strongly typed networks; use {OLDEST_MAJOR} or newer", field="tensorrt"
        )


def gpus() -> Mapping[str, int]:
    """Return GPU name -> compute capability without its point."""
    return _tables()["gpus"]


def _tensorrt_of(triton_tag: str) -> str:
    known = _tables()["triton"]
    if triton_tag not in known:
        raise TargetUnknown(
            f"which TensorRT is in {triton_tag} is not known; say it with --tensorrt (the image's `trtexec --help` "
            f"names it). Known: {', '.join(sorted(known))}",
            field="tensorrt",
        )
    return str(known[triton_tag])


def _capability(sm: int | None, gpu: str | None) -> int:
    if (sm is None) == (gpu is None):
        raise TargetUnknown("name either the compute capability (--sm 90) or the GPU (--gpu H200)", field="sm")
    if gpu is None and not 50 <= (sm or 0) <= 999:
        raise TargetUnknown(f"{sm} is no compute capability; give 9.0 as 90", field="sm")
    found = sm or {name.casefold(): known for name, known in gpus().items()}.get((gpu or "").casefold())
    if found is None:
        raise TargetUnknown(
            f"the GPU {gpu!r} is not in the table; name its compute capability with --sm. Known: {', '.join(gpus())}",
            field="gpu",
        )
    return found


@cache
def _tables() -> Mapping[str, Mapping[str, int]]:
    return tomllib.loads(TARGETS_FILE.read_text("utf-8"))
