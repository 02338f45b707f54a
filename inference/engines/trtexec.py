"""TensorRT's `trtexec`, version 10 and 11: its command lines, and what it writes.

The difference: version 10 must be told that the graph is strongly typed; version 11 knows no other kind and has lost
the flags for precision ("Migrating trtexec Usage from TensorRT 10.x to 11.x"). Single precision is kept single:
TensorRT would else multiply in TF32, which has no more digits than half. Files are named without their folder, since
`trtexec` splits its arguments at commas and colons: it is run in the folder that holds them.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.engines.errors import BuildFailed
from inference.engines.manifest import PLAN_FILE, KeyParts, Timing

ONNX_FILE: Final = "model.onnx"
CACHE_FILE: Final = "timing.cache"
ANSWER_FILE: Final = "answer.json"
_TIMES_FILE: Final = "times-{batch}.json"
_WARM_UP_MILLISECONDS: Final = 500
_MEASURE_SECONDS: Final = 3
_STRONGLY_TYPED_BY_ITSELF: Final = 11  # the first major version
_NUMBERS: Final = re.compile(r"(?<![\w\"])-?(nan|inf)(?![\w\"])", re.IGNORECASE)

_T = TypeVar("_T")
Command = tuple[str, ...]
Inputs = Mapping[str, Sequence[int]]
"""Input -> sizes without the batch."""


@dataclass(frozen=True)
class Trtexec:
    """The program, and the number of the GPU that it is for."""

    program: str = "trtexec"
    device: int = 0

    def build(self, parts: KeyParts, inputs: Inputs) -> Command:
        """Return the command that builds the plan out of the graph."""
        typed = () if parts.target.major >= _STRONGLY_TYPED_BY_ITSELF else ("--stronglyTyped",)
        return self._command(
            f"--onnx={ONNX_FILE}",
            f"--saveEngine={PLAN_FILE}",
            *typed,
            "--noTF32",
            f"--minShapes={_shapes(inputs, parts.batch.least)}",
            f"--optShapes={_shapes(inputs, parts.batch.tuned)}",
            f"--maxShapes={_shapes(inputs, parts.batch.most)}",
            f"--timingCacheFile={CACHE_FILE}",
            "--skipInference",
        )

    def probe(self, inputs: Inputs, batch: int) -> Command:
        """Return the command that runs the plan once on the inputs in `<input>.bin` and write its outputs as JSON."""
        files = ",".join(f"{name}:{name}.bin" for name in inputs)
        once = ("--iterations=1", "--warmUp=0", "--duration=0")
        return self._loaded(inputs, batch, f"--loadInputs={files}", *once, f"--exportOutput={ANSWER_FILE}")

    def measure(self, parts: KeyParts, inputs: Inputs) -> list[Command]:
        """Return the commands that time the plan, one for each batch size of the profile."""
        timing = (f"--warmUp={_WARM_UP_MILLISECONDS}", f"--duration={_MEASURE_SECONDS}")
        return [
            self._loaded(inputs, batch, *timing, f"--exportTimes={_TIMES_FILE.format(batch=batch)}")
            for batch in _batches(parts)
        ]

    def _loaded(self, inputs: Inputs, batch: int, *flags: str) -> Command:
        return self._command(f"--loadEngine={PLAN_FILE}", f"--shapes={_shapes(inputs, batch)}", *flags)

    def _command(self, *flags: str) -> Command:
        return (self.program, *flags, f"--device={self.device}")


def read_tensors(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read the outputs of a probe: output name -> array with the batch first.

    They are a list of `{"name": .., "dimensions": "4x128", "values": [..]}`, six digits a number, with `nan` and `inf`
    written as C++ writes them, which is no JSON.

    Raises:
        BuildFailed: the file is missing or is not what `trtexec` writes.
    """
    return _read(path, lambda found: {each["name"]: _array(each) for each in found})


def read_timings(folder: Path, parts: KeyParts) -> tuple[Timing, ...]:
    """Read how long runs of each batch size took, without those of the warm-up.

    Times are a list with an entry for each run, in milliseconds from the start of the warm-up; `latencyMs` counts the
    transfers to the GPU and back.

    Raises:
        BuildFailed: a file is missing, is not what `trtexec` writes, or holds no run.
    """
    paths = {batch: folder / _TIMES_FILE.format(batch=batch) for batch in _batches(parts)}
    return tuple(_read(path, partial(_timing, batch)) for batch, path in paths.items())


def _read(path: Path, parse: Callable[[Any], _T]) -> _T:
    try:
        return parse(json.loads(_NUMBERS.sub(_as_json, path.read_text("utf-8"))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        reason = str(error).partition("\n")[0]
        raise BuildFailed(f"{path.name} is not what trtexec writes: {reason}", field=path.name) from error


def _array(tensor: Mapping[str, Any]) -> NDArray[np.float64]:
    return np.asarray(tensor["values"], np.float64).reshape([int(size) for size in tensor["dimensions"].split("x")])


def _timing(batch: int, found: Sequence[Mapping[str, float]]) -> Timing:
    times = [float(each["latencyMs"]) for each in found if each["startComputeMs"] >= _WARM_UP_MILLISECONDS]
    p50, p99 = (round(float(each), 4) for each in np.percentile(times, (50, 99)))
    return Timing(batch=batch, p50_ms=p50, p99_ms=p99, runs=len(times))


def _as_json(number: re.Match[str]) -> str:
    """Write a number as the JSON reader wants it; the sign of NaN means nothing."""
    return "NaN" if "nan" in number[0].lower() else number[0].lower().replace("inf", "Infinity")


def _batches(parts: KeyParts) -> list[int]:
    return sorted({parts.batch.least, parts.batch.tuned, parts.batch.most})


def _shapes(inputs: Inputs, batch: int) -> str:
    return ",".join(f"{name}:{'x'.join(str(size) for size in (batch, *sizes))}" for name, sizes in inputs.items())
