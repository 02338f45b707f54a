"""Readers of what `trtexec` writes: tensors as JSON (`--exportOutput`) and times as JSON (`--exportTimes`).

Tensors are a list of `{"name": .., "dimensions": "4x128", "values": [..]}`, six digits a number, with `nan` and `inf`
written as C++ writes them, which is no JSON. Times are a list with an entry for each run, in milliseconds from the
start of the warm-up; `latencyMs` counts the transfers to the GPU and back.
"""

import json
import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.engines.errors import BuildFailed
from inference.engines.manifest import Timing

_NUMBERS: Final = re.compile(r"(?<![\w\"])-?(nan|inf)(?![\w\"])", re.IGNORECASE)


def read_tensors(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read tensors: output name -> array with the batch first.

    Raises:
        BuildFailed: the file is missing or is not what `trtexec` writes.
    """
    try:
        found = json.loads(_NUMBERS.sub(_as_json, path.read_text("utf-8")))
        return {
            each["name"]: np.asarray(each["values"], np.float64).reshape(
                [int(size) for size in each["dimensions"].split("x")]
            )
            for each in found
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, error) from error


def read_timing(path: Path, batch: int, warm_up_milliseconds: float) -> Timing:
    """Read how long runs of one batch size took, without those of the warm-up.

    Raises:
        BuildFailed: the file is missing, is not what `trtexec` writes, or holds no run.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        times = [float(each["latencyMs"]) for each in found if each["startComputeMs"] >= warm_up_milliseconds]
        p50, p99 = np.percentile(times, (50, 99))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise _unreadable(path, error) from error
    return Timing(batch=batch, p50_ms=round(float(p50), 4), p99_ms=round(float(p99), 4), runs=len(times))


def _as_json(number: re.Match[str]) -> str:
    """Write a number as the JSON reader wants it; the sign of NaN means nothing."""
    return "NaN" if "nan" in number[0].lower() else number[0].lower().replace("inf", "Infinity")


def _unreadable(path: Path, error: Exception) -> BuildFailed:
    reason = str(error).partition("\n")[0]
    return BuildFailed(f"{path.name} is not what trtexec writes: {reason}", field=path.name)
