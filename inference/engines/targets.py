"""Targets of a plan: the serving image, its TensorRT, the GPU's compute capability."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from inference.engines.documents import Document, first_fault
from inference.engines.errors import TargetUnknown

TARGETS_FILE: Final = Path(__file__).with_name("targets.toml")
DEFAULT_TAG: Final = "24.10-py3"
OLDEST_MAJOR: Final = 10
_REMEDIES: Final = {
    "triton_tag": f"that is no image tag; name one such as {DEFAULT_TAG}",
    "tensorrt": f"that is no TensorRT version, or one too old for strongly typed networks; give {OLDEST_MAJOR} or "
    "newer as 10.5.0.18",
    "sm": "that is no compute capability; give 9.0 as 90",
}


def _strongly_typed(version: str) -> str:
    if int(version.partition(".")[0]) < OLDEST_MAJOR:
        raise ValueError(f"{version} knows no strongly typed networks")
    return version


Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._]*(-[A-Za-z0-9._]+)*$")]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+(\.\d+)?$"), AfterValidator(_strongly_typed)]
Capability = Annotated[int, Field(ge=50, le=999)]


class Target(Document):
    """A plan runs on this, and on nothing else.

    Attributes:
        triton_tag: the tag of the serving image.
        tensorrt: its TensorRT version with all parts that it tells, such as "10.5.0.18".
        sm: the GPU's compute capability without its point: 90 for 9.0.
    """

    triton_tag: Tag
    tensorrt: Version
    sm: Capability

    @property
    def major(self) -> int:
        """The major version of TensorRT, which decides how it is called."""
        return int(self.tensorrt.partition(".")[0])

    def __str__(self) -> str:
        return f"Triton {self.triton_tag}, TensorRT {self.tensorrt}, SM {self.sm}"


class _Tables(Document):
    """What `targets.toml` says.

    Attributes:
        gpus: GPU -> compute capability without its point.
        triton: tag of the serving image -> the TensorRT inside.
    """

    gpus: Mapping[str, Capability]
    triton: Mapping[Tag, Version]


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
    if (sm is None) == (gpu is None):
        raise TargetUnknown("name either the compute capability (--sm 90) or the GPU (--gpu H200)", field="sm")
    capability = sm if gpu is None else _capability(gpu)
    return checked_target({"triton_tag": triton_tag, "tensorrt": tensorrt or _tensorrt(triton_tag), "sm": capability})


def checked_target(parts: Mapping[str, object]) -> Target:
    """Return the target of these parts.

    Raises:
        TargetUnknown: one is malformed, or the TensorRT knows no strongly typed networks.
    """
    try:
        return Target.model_validate(parts)
    except ValidationError as error:
        part, _ = first_fault(error)
        raise TargetUnknown(f"{parts[part]}: {_REMEDIES[part]}", field=part.replace("_", "-")) from error


def gpus() -> Mapping[str, int]:
    """Return GPU name -> compute capability without its point."""
    return _tables().gpus


def _tensorrt(triton_tag: str) -> str:
    known = _tables().triton
    if triton_tag not in known:
        raise TargetUnknown(
            f"which TensorRT is in {triton_tag} is not known; say it with --tensorrt (the image's `trtexec --help` "
            f"names it). Known: {', '.join(sorted(known))}",
            field="tensorrt",
        )
    return known[triton_tag]


def _capability(gpu: str) -> int:
    found = {name.casefold(): known for name, known in gpus().items()}.get(gpu.casefold())
    if found is None:
        raise TargetUnknown(
            f"the GPU {gpu!r} is not in the table; name its compute capability with --sm. Known: {', '.join(gpus())}",
            field="gpu",
        )
    return found


@cache
def _tables() -> _Tables:
    return _Tables.model_validate(tomllib.loads(TARGETS_FILE.read_text("utf-8")))
