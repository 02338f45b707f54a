"""Reads what `trtexec` writes: tensors as JSON (`--exportOutput`) and times as JSON (`--exportTimes`).

Tensors are a list of `{"name": .., "dimensions": "4x128", "values": [..]}`, six digits a number, with `nan` and `inf`
written as C++ writes them, which is no JSON. Times are a list with an entry for each run, in milliseconds from the
start of the warm-up; `latencyMs` counts the transfers to the GPU and back.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, StringConstraints, TypeAdapter

from inference.engines.errors import BuildFailed

_NUMBERS: Final = re.compile(r"(?<![\w\"])-?(nan|inf)(?![\w\"])", re.IGNORECASE)


@dataclass(frozen=True)
class Latency:
    """How long runs of one batch size took, with their transfers."""

    batch: int
    p50_ms: float
    p99_ms: float
    runs: int


class _Tensor(BaseModel):
    name: str
    dimensions: Annotated[str, StringConstraints(pattern=r"^\d+(x\d+)*$")]
    values: list[float]


class _Run(BaseModel):
    startComputeMs: float  # noqa: N815 - trtexec's names
    latencyMs: float  # noqa: N815


_TENSORS: Final = TypeAdapter(list[_Tensor])
_RUNS: Final = TypeAdapter(list[_Run])


def read_answer(path: Path) -> dict[str, NDArray[np.float64]]:
    """Reads tensors: output name -> array with the batch first.

    Raises:
        BuildFailed: the file is missing or is not what `trtexec` writes.
    """
    try:
        text = _NUMBERS.sub(_as_json, path.read_text("utf-8"))
        found = _TENSORS.validate_json(text)
        return {each.name: np.asarray(each.values).reshape(_sizes(each.dimensions)) for each in found}
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def read_latency(path: Path, batch: int, warm_up_milliseconds: float) -> Latency:
    """Reads times, without those of the warm-up.

    Raises:
        BuildFailed: the file is missing, is not what `trtexec` writes, or holds no run.
    """
    try:
        found = _RUNS.validate_json(path.read_text("utf-8"))
        times = [each.latencyMs for each in found if each.startComputeMs >= warm_up_milliseconds]
        p50, p99 = np.percentile(times, (50, 99))
    except (OSError, ValueError, IndexError) as error:
        raise _unreadable(path, error) from error
    return Latency(batch, round(float(p50), 4), round(float(p99), 4), len(times))


def _as_json(number: re.Match[str]) -> str:
    """Writes a number as the JSON reader wants it; the sign of NaN means nothing."""
    return "NaN" if "nan" in number[0].lower() else number[0].lower().replace("inf", "Infinity")


def _sizes(dimensions: str) -> list[int]:
    return [int(size) for size in dimensions.split("x")]


def _unreadable(path: Path, error: Exception) -> BuildFailed:
    reason = str(error).partition("\n")[0]
    return BuildFailed(f"{path.name} is not what trtexec writes: {reason}", field=path.name)
