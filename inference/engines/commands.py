"""The command lines of TensorRT's `trtexec`, for version 10 and for version 11.

The difference: version 10 must be told that the graph is strongly typed; version 11 knows no other kind and has lost
the flags for precision ("Migrating trtexec Usage from TensorRT 10.x to 11.x"). Single precision is kept single:
TensorRT would else multiply in TF32, which has no more digits than half. Files are named without their folder, since
`trtexec` splits its arguments at commas and colons: it is run in the folder that holds them.
"""

from collections.abc import Mapping, Sequence
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


def build_command(parts: KeyParts, inputs: Inputs, *, trtexec: str = "trtexec", device: int = 0) -> Command:
    """The command that builds the plan out of the graph.

    Args:
        parts: what the engine is.
        inputs: input -> sizes without the batch.
        trtexec: the program.
        device: the number of the GPU.
    """
    batch = parts.batch
    typed = () if parts.target.major >= _STRONGLY_TYPED_BY_ITSELF else ("--stronglyTyped",)
    return (
        trtexec,
        f"--onnx={ONNX_NAME}",
        f"--saveEngine={PLAN_NAME}",
        *typed,
        "--noTF32",
        f"--minShapes={_shapes(inputs, batch.least)}",
        f"--optShapes={_shapes(inputs, batch.tuned)}",
        f"--maxShapes={_shapes(inputs, batch.most)}",
        f"--timingCacheFile={CACHE_NAME}",
        "--skipInference",
        f"--device={device}",
    )


def measure_commands(parts: KeyParts, inputs: Inputs, *, trtexec: str = "trtexec", device: int = 0) -> list[Command]:
    """The commands that time the plan, one for each batch size of the profile."""
    return [
        (
            trtexec,
            f"--loadEngine={PLAN_NAME}",
            f"--shapes={_shapes(inputs, batch)}",
            f"--warmUp={WARM_UP_MILLISECONDS}",
            f"--duration={_MEASURE_SECONDS}",
            f"--exportTimes={TIMES_NAME.format(batch=batch)}",
            f"--device={device}",
        )
        for batch in batches(parts)
    ]


def ask_command(inputs: Inputs, batch: int, *, trtexec: str = "trtexec", device: int = 0) -> Command:
    """The command that runs the plan once on the inputs in `<input>.bin` and writes its answer as JSON."""
    return (
        trtexec,
        f"--loadEngine={PLAN_NAME}",
        f"--shapes={_shapes(inputs, batch)}",
        f"--loadInputs={','.join(f'{name}:{name}.bin' for name in inputs)}",
        "--iterations=1",
        "--warmUp=0",
        "--duration=0",
        f"--exportOutput={ANSWER_NAME}",
        f"--device={device}",
    )


def batches(parts: KeyParts) -> list[int]:
    """The batch sizes that are timed."""
    return sorted({parts.batch.least, parts.batch.tuned, parts.batch.most})


def timing_cache_name(target: Target) -> str:
    """The name of the cache of kernel timings, which hold for one compute capability and one TensorRT."""
    return f"sm{target.sm}-trt{target.tensorrt}.cache"


def _shapes(inputs: Inputs, batch: int) -> str:
    return ",".join(f"{name}:{'x'.join(str(size) for size in (batch, *sizes))}" for name, sizes in inputs.items())
