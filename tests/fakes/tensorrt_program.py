"""What the fake `trtexec` and `nvidia-smi` do: flags, files and words of the real ones, ONNX Runtime instead of a GPU.

A "plan" is a header (version, capability, shapes) and the graph; it is refused by another version or capability, and
outside its shapes, as a real one is. Unknown flags end the program, and version 11 does not know those for precision.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

Given = dict[str, str]
Sizes = dict[str, list[int]]
HOME = Path(sys.argv[0]).parent
MACHINE = json.loads((HOME / "machine.json").read_text("utf-8"))
MAJOR = int(MACHINE["version"]) // 10000
MAGIC = b"fake plan\n"
COMMON = {
    "--onnx", "--saveEngine", "--loadEngine", "--minShapes", "--optShapes", "--maxShapes", "--shapes", "--noTF32",
    "--timingCacheFile", "--skipInference", "--device", "--warmUp", "--duration", "--iterations", "--loadInputs",
    "--exportTimes", "--exportOutput", "--help", "--stronglyTyped",
}  # fmt: skip
WEAK = {"--fp16", "--int8", "--bf16", "--fp8", "--int4", "--best"}


def main() -> None:
    nvidia_smi() if Path(sys.argv[0]).name == "nvidia-smi" else trtexec()


def trtexec() -> None:
    say(f"&&&& RUNNING TensorRT.trtexec [TensorRT v{MACHINE['version']}] [b{MACHINE['build']}] # {' '.join(sys.argv)}")
    given = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
    unknown = set(given) - COMMON - (WEAK if MAJOR < 11 else set())
    if unknown:
        fail(f"Unknown option: {' '.join(sorted(unknown))}")
    if "--help" not in given:
        build(given) if "--onnx" in given else infer(given)
    say(f"&&&& PASSED TensorRT.trtexec [TensorRT v{MACHINE['version']}]")


def nvidia_smi() -> None:
    if "--id=0" in sys.argv:
        say(f"{MACHINE['capability']}, {MACHINE['gpu']}, 570.86.10")
    else:
        say("No devices were found")


def build(given: Given) -> None:
    log("Start parsing network model.")
    data = Path(given["--onnx"]).read_bytes()
    flaw()
    shapes = {kind: sizes(given[f"--{kind}Shapes"]) for kind in ("min", "opt", "max")}
    log("[TRT] Global timing cache in use. Profiling results in this builder pass will be stored.")
    Path(given["--timingCacheFile"]).write_text(f"timings of {MACHINE['version']}", "utf-8")
    strong = MAJOR >= 11 or "--stronglyTyped" in given
    header = {"version": version(), "capability": MACHINE["capability"], "shapes": shapes, "strong": strong}
    if MACHINE["flaw"] != "empty":
        Path(given["--saveEngine"]).write_bytes(MAGIC + json.dumps(header).encode() + b"\n" + data)
    log("Engine built in 1.5 sec.")


def infer(given: Given) -> None:
    magic, head, data = Path(given["--loadEngine"]).read_bytes().split(b"\n", 2)
    header = json.loads(head)
    if magic + b"\n" != MAGIC or header["version"] != version() or header["capability"] != MACHINE["capability"]:
        fail(f"The engine plan file is not compatible: expecting library version {header['version']} got {version()}")
    wanted = sizes(given["--shapes"])
    for name, shape in wanted.items():
        least, most = header["shapes"]["min"][name], header["shapes"]["max"][name]
        if not all(low <= size <= high for low, size, high in zip(least, shape, most, strict=True)):
            fail(f"Static dimension mismatch while setting input shape of {name}")
    if "--exportTimes" in given:
        times(Path(given["--exportTimes"]), float(given["--warmUp"]))
    if "--exportOutput" in given:
        ask(given, wanted, data)


def ask(given: Given, wanted: Sizes, data: bytes) -> None:
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    types = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(int64)": np.int64}
    files = dict(pair.split(":") for pair in given["--loadInputs"].split(","))
    feeds = {
        each.name: np.fromfile(files[each.name], types[each.type]).reshape(wanted[each.name])
        for each in session.get_inputs()
    }
    names = [each.name for each in session.get_outputs()]
    answer(Path(given["--exportOutput"]), dict(zip(names, session.run(names, feeds), strict=True)))


def answer(path: Path, outputs: dict[str, Any]) -> None:
    entries = []
    for name, array in outputs.items():
        numbers = array.astype("float64").ravel() + (0.25 if MACHINE["flaw"] == "noise" else 0)
        written = [f"{number:.6g}" for number in numbers]
        if MACHINE["flaw"] == "nan":
            written[0] = "-nan"
        dimensions = "x".join(str(size) for size in array.shape)
        entries.append(
            f'{{ "name" : "{name}"\n  , "dimensions" : "{dimensions}"\n  , "values" : [ {", ".join(written)} ]\n  }}'
        )
    path.write_text("[\n  " + "\n, ".join(entries) + "\n]\n", "utf-8")


def times(path: Path, warm_up: float) -> None:
    starts = [0.0, warm_up / 2, *(warm_up + step for step in range(100))]
    runs = [{"startComputeMs": start, "latencyMs": 1.0 + start / 1000, "computeMs": 0.9} for start in starts]
    path.write_text(json.dumps(runs), "utf-8")


def flaw() -> None:
    if MACHINE["flaw"] == "hang":
        (HOME / "hanging").touch()
        time.sleep(600)
    if MACHINE["flaw"] == "crash":
        fail("Error Code 10: Internal Error (Could not find any implementation for node)")


def version() -> str:
    return f"{MACHINE['version']}.{MACHINE['build']}"


def sizes(spec: str) -> Sizes:
    pairs = (each.split(":") for each in spec.split(","))
    return {name: [int(size) for size in shape.split("x")] for name, shape in pairs}


def log(text: str) -> None:
    say(f"[11/22/2026-12:00:00] [I] {text}")


def fail(text: str) -> NoReturn:
    say(f"[11/22/2026-12:00:00] [E] {text}")
    say(f"&&&& FAILED TensorRT.trtexec [TensorRT v{MACHINE['version']}]")
    sys.exit(1)


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it is a program
