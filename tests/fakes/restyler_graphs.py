"""Small networks with the restyler's tensors whose answers can be told beforehand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from inference.restyling.diffusion.noise_levels import TRAINED_LEVELS, sigma

STYLES = ("same", "inverted", "broken")
"""Of the flow network: the photo itself, its negative, and one whose velocity is not a number."""
COLOURS = {"orange": (0.5, 0.0, -0.5), "grey": (0.0, 0.0, 0.0)}
"""Of the latent model: a plane of one colour (-1..1), whatever the photo; besides there is "kept"."""
LATENT_STYLES = (*COLOURS, "kept")
_SCALE = 0.18215
Inputs: TypeAlias = Mapping[str, tuple[int, Sequence[str | int]]]
Outputs: TypeAlias = Mapping[str, Sequence[str | int]]
Constants: TypeAlias = Mapping[str, NDArray[np.generic]]
_OPSET = [helper.make_opsetid("", 17)]


def write_flow(path: Path, *, layers: int = 0) -> Path:
    """Write a velocity that leads straight to the photo times 1, -1 or NaN, by style.

    Args:
        path: the file.
        layers: convolutions that cost time and change nothing.
    """
    nodes = [
        helper.make_node("Gather", ["factors", "style"], ["factor"]),
        helper.make_node("Reshape", ["factor", "column"], ["factor_4d"]),
        helper.make_node("Reshape", ["t", "column"], ["t_4d"]),
        helper.make_node("Mul", ["photo", "factor_4d"], ["target"]),
        helper.make_node("Sub", ["x", "target"], ["way"]),
        helper.make_node("Div", ["way", "t_4d"], ["straight"]),
        *_ballast(layers),
        helper.make_node("Add", ["straight", f"ballast_{layers}"], ["v"]),
    ]
    constants: Constants = {
        "factors": np.array([1, -1, np.nan], np.float32),
        "column": np.array([-1, 1, 1, 1], np.int64),
        "zero": np.zeros((), np.float32),
        "widen": np.zeros((32, 3, 3, 3), np.float32),
        "keep": np.zeros((32, 32, 3, 3), np.float32),
        "narrow": np.zeros((3, 32, 3, 3), np.float32),
    }
    signal: Sequence[str | int] = ["N", 3, "H", "W"]
    inputs: Inputs = {
        "x": (TensorProto.FLOAT, signal),
        "photo": (TensorProto.FLOAT, signal),
        "t": (TensorProto.FLOAT, ["N"]),
        "style": (TensorProto.INT64, ["N"]),
    }
    return _write(path, nodes, inputs, {"v": signal}, constants)


def _ballast(layers: int) -> list[onnx.NodeProto]:
    """End in `ballast_<layers>`, which is 0."""
    if not layers:
        return [helper.make_node("Mul", ["x", "zero"], ["ballast_0"])]
    weights = ["widen", *["keep"] * (layers - 2), "narrow"]
    names = ["x", *(f"ballast_{number}" for number in range(1, layers + 1))]
    return [
        helper.make_node("Conv", [names[number], weight], [names[number + 1]], pads=[1, 1, 1, 1])
        for number, weight in enumerate(weights)
    ]


def write_latent(folder: Path, *, sampler: str = "turbo", prediction: str = "epsilon") -> Path:
    """Write four graphs and their settings: an autoencoder that averages blocks, and a network that knows its goal."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_text_encoder(folder / "text_encoder.onnx")
    _write_vae_encoder(folder / "vae_encoder.onnx")
    _write_unet(folder / "unet.onnx", prediction)
    write_vae_decoder(folder / "vae_decoder.onnx")
    styles = [{"name": name, "input_ids": [index] * 77} for index, name in enumerate(LATENT_STYLES)]
    table = {"sampler": sampler, "prediction": prediction, "scaling_factor": _SCALE, "styles": styles}
    (folder / "latent.json").write_text(json.dumps(table), "utf-8")
    return folder


def _write_text_encoder(path: Path) -> None:
    """Make a graph from a token to a colour, as a scaled latent has it, and to how much of it there shall be."""
    rows = [[*(_SCALE * part for part in colour), 1.0] for colour in COLOURS.values()] + [[0.0, 0.0, 0.0, 0.0]]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    inputs: Inputs = {"input_ids": (TensorProto.INT64, ["batch", 77])}
    _write(path, nodes, inputs, {"last_hidden_state": ["batch", 77, 4]}, {"table": np.array(rows, np.float32)})


def _write_vae_encoder(path: Path) -> None:
    nodes = [
        helper.make_node("AveragePool", ["sample"], ["small"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("ReduceMean", ["small"], ["grey"], axes=[1], keepdims=1),
        helper.make_node("Concat", ["small", "grey"], ["latent_sample"], axis=1),
    ]
    inputs: Inputs = {"sample": (TensorProto.FLOAT, ["batch", 3, 512, 512])}
    _write(path, nodes, inputs, {"latent_sample": ["batch", 4, 64, 64]}, {})


def write_vae_decoder(path: Path, *, gain: float = 1.0, lift: float = 0.0, half: bool = False) -> Path:
    """Write the way back: each value becomes a block of 8 x 8, times the gain, plus the lift; tensors may be FP16."""
    element = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    nodes = [
        helper.make_node("Cast", ["latent_sample"], ["latent"], to=TensorProto.FLOAT),
        helper.make_node("Slice", ["latent", "start", "end", "axis"], ["colours"]),
        helper.make_node("Resize", ["colours", "", "scales"], ["large"], mode="nearest"),
        helper.make_node("Mul", ["large", "gain"], ["louder"]),
        helper.make_node("Add", ["louder", "lift"], ["lifted"]),
        helper.make_node("Cast", ["lifted"], ["sample"], to=element),
    ]
    constants: Constants = {
        "start": np.array([0], np.int64), "end": np.array([3], np.int64), "axis": np.array([1], np.int64),
        "scales": np.array([1, 1, 8, 8], np.float32),
        "gain": np.array(gain, np.float32), "lift": np.array(lift, np.float32),
    }  # fmt: skip
    inputs: Inputs = {"latent_sample": (element, ["batch", 4, 64, 64])}
    return _write(path, nodes, inputs, {"sample": ["batch", 3, 512, 512]}, constants, output_element=element)


def _write_unet(path: Path, prediction: str) -> None:
    """Make a graph whose clean latent is the text's colour, as far as the text says so, else what is seen.

    With the scaled x, x_seen = a * clean + b * noise, the noise is (x_seen - a * clean) / b, the velocity
    a * noise - b * clean; for "kept" the noise is 0, or the velocity that says the same.
    """
    levels = np.array([sigma(timestep) for timestep in range(TRAINED_LEVELS)])
    a, b = 1 / np.sqrt(levels**2 + 1), levels / np.sqrt(levels**2 + 1)
    nodes = [
        helper.make_node("ReduceMean", ["encoder_hidden_states"], ["goal"], axes=[1], keepdims=0),
        helper.make_node("Reshape", ["goal", "column"], ["goal_4d"]),
        helper.make_node("Slice", ["goal_4d", "three", "four", "one"], ["share"]),
        helper.make_node("Gather", ["a", "timestep"], ["a_t"]),
        helper.make_node("Gather", ["b", "timestep"], ["b_t"]),
        helper.make_node("Div", ["sample", "a_t"], ["unscaled"]),
        helper.make_node("Sub", ["goal_4d", "unscaled"], ["change"]),
        helper.make_node("Mul", ["change", "share"], ["moved"]),
        helper.make_node("Add", ["unscaled", "moved"], ["clean"]),
        helper.make_node("Mul", ["clean", "a_t"], ["clean_part"]),
        helper.make_node("Sub", ["sample", "clean_part"], ["noise_part"]),
        helper.make_node("Div", ["noise_part", "b_t"], ["noise"]),
        *_velocity_nodes(prediction),
    ]
    constants: dict[str, NDArray[np.generic]] = {"column": np.array([-1, 4, 1, 1], np.int64)}
    constants |= {name: np.array([value], np.int64) for name, value in (("one", 1), ("three", 3), ("four", 4))}
    constants |= {"a": a.astype(np.float32), "b": b.astype(np.float32)}
    inputs: Inputs = {
        "sample": (TensorProto.FLOAT, ["batch", 4, 64, 64]),
        "timestep": (TensorProto.INT64, [1]),
        "encoder_hidden_states": (TensorProto.FLOAT, ["batch", 77, 4]),
    }
    _write(path, nodes, inputs, {"out_sample": ["batch", 4, 64, 64]}, constants)


def _velocity_nodes(prediction: str) -> list[onnx.NodeProto]:
    if prediction == "epsilon":
        return [helper.make_node("Identity", ["noise"], ["out_sample"])]
    return [
        helper.make_node("Mul", ["noise", "a_t"], ["noise_share"]),
        helper.make_node("Mul", ["clean", "b_t"], ["clean_share"]),
        helper.make_node("Sub", ["noise_share", "clean_share"], ["out_sample"]),
    ]


def _write(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Inputs,
    outputs: Outputs,
    constants: Constants,
    *,
    output_element: int = TensorProto.FLOAT,
) -> Path:
    graph = helper.make_graph(
        list(nodes),
        path.stem,
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, output_element, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=_OPSET, ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
