"""What a graph asks for, and whether TensorRT would read it."""

from collections.abc import Mapping, Sequence
from typing import Final

import onnx
from onnx import TensorProto, helper

from inference.engines.errors import GraphUnsupported
from inference.engines.probes import Input

# Operators that the supported-operators list of TensorRT's ONNX parser has no support for.
UNREAD: Final = frozenset({
    "ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul", "StringNormalizer",
    "TfIdfVectorizer",
})  # fmt: skip


def graph_inputs(model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]]) -> tuple[Input, ...]:
    """Lists the inputs of a graph.

    Args:
        model: the graph.
        shapes: sizes for inputs that the graph leaves free, without the batch.

    Raises:
        GraphUnsupported: a size besides the batch is free and no size is given for it.
    """
    constants = {constant.name for constant in model.graph.initializer}
    return tuple(_input(value, shapes) for value in model.graph.input if value.name not in constants)


def check_readable(name: str, model: onnx.ModelProto) -> None:
    """Refuses graphs that TensorRT does not read, before a GPU node finds out.

    Raises:
        GraphUnsupported: an operator is unknown to it, or 8-bit pixels go into anything but a cast.
    """
    unread = sorted({node.op_type for node in model.graph.node} & UNREAD)
    if unread:
        raise GraphUnsupported(
            f"{name}: TensorRT reads no {', '.join(unread)}; convert the model from its float weights", field=name
        )
    bytes_in = {value.name for value in model.graph.input if value.type.tensor_type.elem_type == TensorProto.UINT8}
    for node in model.graph.node:
        if node.op_type != "Cast" and bytes_in & set(node.input):
            raise GraphUnsupported(
                f"{name}: TensorRT takes UINT8 at a Cast only, but {node.op_type} reads it; cast first", field=name
            )


def _input(value: onnx.ValueInfoProto, shapes: Mapping[str, Sequence[int]]) -> Input:
    tensor = value.type.tensor_type
    sizes = tuple(shapes.get(value.name, [size.dim_value for size in tensor.shape.dim[1:]]))
    if not all(size > 0 for size in sizes):
        raise GraphUnsupported(
            f"input {value.name!r} has free sizes besides the batch; fix them under shapes in profiles.toml",
            field=value.name,
        )
    return Input(value.name, helper.tensor_dtype_to_np_dtype(tensor.elem_type), sizes)
