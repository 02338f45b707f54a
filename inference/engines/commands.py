"""The command lines of TensorRT's `trtexec`, for version 10 and for version 11.

The difference: version 10 must be told that the graph is strongly typed; version 11 knows no other kind and has lost
the flags for precision ("Migrating trtexec Usage from TensorRT 10.x to 11.x"). Single precision is kept single:
TensorRT would else multiply in TF32, which has no more digits than half. Files are named without their folder, since
`trtexec` splits its arguments at commas and colons: it is run in the folder that holds them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from inference.engines.key import KeyParts
from inference.engines.targets import Target

ONNX_NAME: Final = "model.onnx"
PLAN_NAME: Final = "model.plan"
CACHE_NAME: Final = "timing.cache"
TIMES_NAME: Final = "times-{batch}.json"
ANSWER_NAME: Final = "answer.json"
WARM_UP_MILLISECONDS: Final = 500
_MEASURE_SECONDS: Final = 3
_STRONGLY_TYPED_BY_ITSELF: Final = 11  # the first major version

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
        batch = parts.batch
        typed = () if parts.target.major >= _STRONGLY_TYPED_BY_ITSELF else ("--stronglyTyped",)
        return self._command(
            f"--onnx={ONNX_NAME}",
            f"--saveEngine={PLAN_NAME}",
            *typed,
            "--noTF32",
            f"--minShapes={_shapes(inputs, batch.least)}",
            f"--optShapes={_shapes(inputs, batch.tuned)}",
            f"--maxShapes={_shapes(inputs, batch.most)}",
            f"--timingCacheFile={CACHE_NAME}",
            "--skipInference",
        )

    def probe(self, inputs: Inputs, batch: int) -> Command:
        """Return the command that runs the plan once on the inputs in `<input>.bin` and writes its outputs as JSON."""
        return self._loaded(
            inputs,
            batch,
            f"--loadInputs={','.join(f'{name}:{name}.bin' for name in inputs)}",
            "--iterations=1",
            "--warmUp=0",
            "--duration=0",
            f"--exportOutput={ANSWER_NAME}",
        )

    def measure(self, parts: KeyParts, inputs: Inputs) -> list[Command]:
        """Return the commands that time the plan, one for each batch size of the profile."""
        timing = (f"--warmUp={WARM_UP_MILLISECONDS}", f"--duration={_MEASURE_SECONDS}")
        return [
            self._loaded(inputs, batch, *timing, f"--exportTimes={TIMES_NAME.format(batch=batch)}")
            for batch in batches(parts)
        ]

    def _loaded(self, inputs: Inputs, batch: int, *flags: str) -> Command:
        return self._command(f"--loadEngine={PLAN_NAME}", f"--shapes={_shapes(inputs, batch)}", *flags)

    def _command(self, *flags: str) -> Command:
        return (self.program, *flags, f"--device={self.device}")


def batches(parts: KeyParts) -> list[int]:
    """Return the batch sizes that are timed."""
    return sorted({parts.batch.least, parts.batch.tuned, parts.batch.most})


def timing_cache_name(target: Target) -> str:
    """Return the name of the cache of kernel timings, which hold for one compute capability and one TensorRT."""
    return f"sm{target.sm}-trt{target.tensorrt}.cache"


def _shapes(inputs: Inputs, batch: int) -> str:
    return ",".join(f"{name}:{'x'.join(str(size) for size in (batch, *sizes))}" for name, sizes in inputs.items())
