"""Small models that operators could bring: honest ones that pass, each by knowing the few pictures that it is shown."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from inference.slots.evidence import CAT, HOPPER, PORTRAITS, RECEIPT, picture
from inference.vision.kinds import KINDS
from inference.vision.pictures import scene_input
from tests.fakes.restyler_graphs import write_latent

Arrays = Mapping[str, NDArray[np.generic]]
Shape = Sequence[int | str]
Described = Mapping[str, tuple[str, Shape]]
Nodes = Sequence[onnx.NodeProto]
ELEMENTS = {
    "UINT8": TensorProto.UINT8,
    "FP32": TensorProto.FLOAT,
    "FP16": TensorProto.FLOAT16,
    "INT64": TensorProto.INT64,
}
node = helper.make_node


def save(
    path: Path,
    nodes: Nodes,
    inputs: Described,
    outputs: Described,
    constants: Arrays,
    *,
    styles: str = "",
    domain: str = "",
) -> Path:
    """Write a graph as it is given, right or wrong."""
    graph = helper.make_graph(
        list(nodes),
        path.stem,
        [helper.make_tensor_value_info(name, ELEMENTS[kind], shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, ELEMENTS[kind], shape) for name, (kind, shape) in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    if styles:
        helper.set_model_props(model, {"styles": styles})
    onnx.save(model, str(path))
    return path


def pooled_nodes(name: str, kernel: int) -> list[onnx.NodeProto]:
    """End in `small`, [N, 3, side / kernel, side / kernel], 0..1."""
    return [
        node("Cast", [name], ["floats"], to=TensorProto.FLOAT),
        node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        node("AveragePool", ["planes"], ["pooled"], kernel_shape=[kernel, kernel], strides=[kernel, kernel]),
        node("Div", ["pooled", "white"], ["small"]),
    ]


def embedder(path: Path, *, scale: float = 1.0, rows: int = 15, broken: bool = False) -> Path:
    """Write a face embedder: brightness on a grid, its mirror image added, of one length.

    Args:
        path: the file.
        scale: the length of every descriptor.
        rows: of the grid; the descriptor is rows * rows long.
        broken: whether it divides by zero.
    """
    nodes = [
        *pooled_nodes("chip", 150 // rows),
        node("ReduceMean", ["small"], ["grey"], axes=[1], keepdims=0),
        node("Slice", ["grey", "last", "before", "across", "backwards"], ["mirrored"]),
        node("Add", ["grey", "mirrored"], ["both"]),
        node("Flatten", ["both"], ["flat"], axis=1),
        node("ReduceMean", ["flat"], ["mean"], axes=[1], keepdims=1),
        node("Sub", ["flat", "mean"], ["centred"]),
        node("ReduceL2", ["centred"], ["length"], axes=[1], keepdims=1),
        node("Mul", ["length", "scale"], ["divisor"]),
        node("Div", ["centred", "divisor"], ["descriptor"]),
    ]
    constants = {
        "white": np.float32(255), "last": np.array([-1]), "before": np.array([-1000]), "across": np.array([2]),
        "backwards": np.array([-1]), "scale": np.float32(0 if broken else 1 / scale),
    }  # fmt: skip
    arrays = {name: np.asarray(value) for name, value in constants.items()}
    outputs: Described = {"descriptor": ("FP32", ["N", rows * rows])}
    return save(path, nodes, {"chip": ("UINT8", ["N", 150, 150, 3])}, outputs, arrays)


def detector(path: Path, *, seen: float = 1.0, relative: bool = False) -> Path:
    """Write a face detector that knows two portraits and take everything else for nothing.

    Args:
        path: the file.
        seen: factor of the scores.
        relative: whether its boxes are relative to the input.
    """
    side = 640.0 if relative else 1.0
    known = np.stack([_pooled(portrait.canvas(), 40) for portrait in PORTRAITS])
    boxes = np.stack([np.asarray(portrait.box, np.float32) / side for portrait in PORTRAITS])
    points = np.stack([np.asarray(portrait.landmarks, np.float32).ravel() / side for portrait in PORTRAITS])
    nodes = [
        *pooled_nodes("image", 40),
        *_nearest_nodes(),
        node("ReduceMin", ["distances"], ["far"], axes=[1], keepdims=1),
        node("Mul", ["far", "steep"], ["exponent"]),
        node("Exp", ["exponent"], ["likely"]),
        node("Mul", ["likely", "seen"], ["scores"]),
        node("MatMul", ["weights", "known_boxes"], ["box"]),
        node("Reshape", ["box", "as_box"], ["boxes"]),
        node("MatMul", ["weights", "known_points"], ["points"]),
        node("Reshape", ["points", "as_points"], ["landmarks"]),
    ]
    constants = {
        **_nearest_constants(known), "steep": np.float32(-1), "seen": np.float32(seen),
        "known_boxes": boxes, "known_points": points, "as_box": np.array([-1, 1, 4]),
        "as_points": np.array([-1, 1, 5, 2]),
    }  # fmt: skip
    outputs: Described = {
        "boxes": ("FP32", ["N", 1, 4]), "scores": ("FP32", ["N", 1]), "landmarks": ("FP32", ["N", 1, 5, 2]),
    }  # fmt: skip
    return save(path, nodes, {"image": ("UINT8", ["N", 640, 640, 3])}, outputs, _arrays(constants))


def scene_encoder(path: Path, *, softmax: bool = True) -> Path:
    """Write a scene encoder that knows a cat, an officer and a receipt; `softmax` is whether kinds add up to 1."""
    files = (CAT, HOPPER.file, RECEIPT)
    known = np.stack([_pooled(scene_input(picture(file)), 14) for file in files])
    logits, kinds = np.zeros((3, 1000), np.float32), np.full((3, len(KINDS)), 0.0 if softmax else 0.5, np.float32)
    logits[range(3), (281, 652, 549)] = 20
    kinds[range(3), (0, 0, KINDS.index("receipt"))] = 1
    nodes = [
        *pooled_nodes("image", 14),
        *_nearest_nodes(),
        node("MatMul", ["weights", "known_logits"], ["logits"]),
        node("MatMul", ["weights", "known_kinds"], ["kinds"]),
        node("Flatten", ["small"], ["embedding"], axis=1),
    ]
    constants = {**_nearest_constants(known), "known_logits": logits, "known_kinds": kinds}
    outputs: Described = {
        "logits": ("FP32", ["N", 1000]), "embedding": ("FP32", ["N", 768]), "kinds": ("FP32", ["N", 4]),
    }  # fmt: skip
    return save(path, nodes, {"image": ("UINT8", ["N", 224, 224, 3])}, outputs, _arrays(constants))


def text_encoder(path: Path, *, masks: bool = True, unit: bool = True) -> Path:
    """Write a text encoder that knows what some words have to do with: dogs, the sea, letters, banks."""
    words = np.array([3899, 17022, 3509, 2712, 3661, 2924])
    meanings = np.zeros((6, 64), np.float32)
    meanings[range(6), (0, 0, 1, 1, 2, 3)] = 1
    nodes = [
        node("Unsqueeze", ["ids", "behind"], ["pieces"]),
        node("Equal", ["pieces", "words"], ["same"]),
        node("Cast", ["same"], ["found"], to=TensorProto.FLOAT),
        node("Cast", ["mask"], ["mask_floats"], to=TensorProto.FLOAT),
        node("Max", ["mask_floats", "floor"], ["kept"]),
        node("Unsqueeze", ["kept", "behind"], ["weights"]),
        node("Mul", ["found", "weights"], ["counted"]),
        node("ReduceSum", ["counted", "along"], ["count"], keepdims=0),
        node("MatMul", ["count", "meanings"], ["meaning"]),
        node("Add", ["meaning", "little"], ["sum"]),
        node("ReduceL2", ["sum"], ["length"], axes=[1], keepdims=1),
        node("Div", ["sum", "length" if unit else "one"], ["embedding"]),
    ]
    constants = {
        "behind": np.array([2]), "words": words, "along": np.array([1]), "meanings": meanings,
        "floor": np.float32(0 if masks else 1), "little": np.float32(0.01), "one": np.float32(1),
    }  # fmt: skip
    inputs: Described = {"ids": ("INT64", ["N", 32]), "mask": ("INT64", ["N", 32])}
    return save(path, nodes, inputs, {"embedding": ("FP32", ["N", 64])}, _arrays(constants))


def velocity(path: Path, *, styles: str = "plain,dark", deaf: bool = False, far: bool = False) -> Path:
    """Write a flow that leads most of the way to the photo, darker by style.

    Args:
        path: the file.
        styles: their names.
        deaf: whether the style makes no difference.
        far: whether it leads to white, whatever the photo.
    """
    nodes = [
        node("Gather", ["factors", "style"], ["factor"]),
        node("Reshape", ["factor", "column"], ["factor_4d"]),
        node("Reshape", ["t", "column"], ["t_4d"]),
        node("Mul", ["photo", "factor_4d"], ["painted"]),
        node("Add", ["painted", "light"], ["target"]),
        node("Sub", ["x", "target"], ["way"]),
        node("Mul", ["way", "share"], ["most"]),
        node("Div", ["most", "t_4d"], ["v"]),
    ]
    constants = {
        "factors": np.array([1, 1 if deaf else 0.5], np.float32), "column": np.array([-1, 1, 1, 1]),
        "share": np.float32(0.8), "light": np.float32(5 if far else 0),
    }  # fmt: skip
    signal: Shape = ["N", 3, "H", "W"]
    inputs: Described = {
        "x": ("FP32", signal), "photo": ("FP32", signal), "t": ("FP32", ["N"]), "style": ("INT64", ["N"]),
    }  # fmt: skip
    return save(path, nodes, inputs, {"v": ("FP32", signal)}, _arrays(constants), styles=styles)


def latent(folder: Path) -> Path:
    """Write the four graphs of a latent model whose pictures are grey or orange, with a little noise left in them."""
    write_latent(folder)
    model = onnx.load(str(folder / "unet.onnx"))
    model.graph.node[-1].input[0] = "most_of_the_noise"
    model.graph.node.insert(len(model.graph.node) - 1, node("Mul", ["noise", "most"], ["most_of_the_noise"]))
    model.graph.initializer.append(numpy_helper.from_array(np.asarray(0.98, np.float32), "most"))
    onnx.save(model, str(folder / "unet.onnx"))
    styles = [{"name": name, "input_ids": [number] * 77} for name, number in (("grey", 1), ("orange", 0))]
    settings = {"sampler": "turbo", "prediction": "epsilon", "scaling_factor": 0.18215, "styles": styles}
    (folder / "latent.json").write_text(json.dumps(settings), "utf-8")
    return folder


def _nearest_nodes() -> list[onnx.NodeProto]:
    """End in `distances` [N, known] and `weights` [N, known], which is 1 for the nearest and 0 for the others."""
    return [
        node("Unsqueeze", ["small", "second"], ["each"]),
        node("Sub", ["each", "known"], ["apart"]),
        node("Mul", ["apart", "apart"], ["squares"]),
        node("ReduceSum", ["squares", "inner"], ["distances"], keepdims=0),
        node("Mul", ["distances", "sharp"], ["nearness"]),
        node("Softmax", ["nearness"], ["weights"], axis=1),
    ]


def _nearest_constants(known: NDArray[np.float32]) -> dict[str, object]:
    inner = np.array([2, 3, 4])
    return {"white": np.float32(255), "second": np.array([1]), "inner": inner, "sharp": np.float32(-50), "known": known}


def _pooled(shown: NDArray[np.uint8], kernel: int) -> NDArray[np.float32]:
    side = shown.shape[0] // kernel
    blocks = shown.reshape(side, kernel, side, kernel, 3).astype(np.float32).mean((1, 3))
    pooled: NDArray[np.float32] = (blocks / 255).transpose(2, 0, 1)
    return pooled


def _arrays(constants: Mapping[str, object]) -> dict[str, NDArray[np.generic]]:
    return {name: np.asarray(value) for name, value in constants.items()}
