"""Export to ONNX: FP32 arithmetic, weights kept in half precision, any size that is a multiple of 8."""

import io
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from inference.training.restyler.network import VelocityNetwork

OPSET: Final = 17
INPUTS: Final = ("x", "photo", "t", "style")
_LARGE: Final = 256


def export(network: VelocityNetwork, path: Path) -> None:
    """Write `velocity(x, photo, t, style) -> v` with batch, height and width left open.

    Args:
        network: the averaged network.
        path: of the ONNX file; its folder exists.
    """
    model = halved(onnx.load_model_from_string(_traced(network.eval())))
    onnx.checker.check_model(model, full_check=True)
    onnx.save_model(model, path)


def _traced(network: VelocityNetwork) -> bytes:
    picture, written = torch.zeros(2, 3, 64, 64), io.BytesIO()
    sides = {0: "N", 2: "H", 3: "W"}
    torch.onnx.export(
        network,
        (picture, picture, torch.ones(2), torch.zeros(2, dtype=torch.int64)),
        written,
        input_names=list(INPUTS),
        output_names=["v"],
        dynamic_axes={"x": sides, "photo": sides, "t": {0: "N"}, "style": {0: "N"}, "v": sides},
        opset_version=OPSET,
        dynamo=False,
    )
    return written.getvalue()


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep large FP32 weights in FP16, each with a Cast before its use; runtimes fold these when they load."""
    kept, casts = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type == TensorProto.FLOAT and values.size >= _LARGE:
            small = f"{tensor.name}.half"
            kept.append(numpy_helper.from_array(_half(values), small))
            casts.append(helper.make_node("Cast", [small], [tensor.name], f"{tensor.name}.whole", to=TensorProto.FLOAT))
        else:
            kept.append(tensor)
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    return model


def _half(values: NDArray[np.float32]) -> NDArray[np.float16]:
    limit = float(np.finfo(np.float16).max)
    return np.clip(values, -limit, limit).astype(np.float16)
