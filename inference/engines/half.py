"""Puts half precision into a graph, so that it is strongly typed: every tensor has the type it is computed in.

Half are the operators between the first and the last one with weights to multiply (convolution, matrix product),
so that pixels are normalised, and answers decoded, in single precision; sums and exponentials in between stay
single too. Inputs and outputs keep their types. ONNX Runtime alone is no help in measuring such a graph: on a CPU it
computes half operators in single precision and drops the rounding between them, even of an operator that only
copies (seen with 1.28). `rehearsal` puts the rounding back: two copying operators in a row are left in half.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

HEAVY: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
SINGLE: Final = frozenset({
    "CumSum", "Exp", "GlobalAveragePool", "GroupNormalization", "InstanceNormalization", "LayerNormalization",
    "Log", "LogSoftmax", "Pow", "Range", "Reciprocal", "ReduceL2", "ReduceMean", "ReduceSum", "Resize", "Softmax",
    "Sqrt", "TopK",
})  # fmt: skip
_FEW: Final = 16  # a constant of so few numbers is a setting, such as a mask or an epsilon, and must survive
_FIRST_AXIS: Final = "rehearsal/first_axis"
_HALF_MAX: Final = float(np.finfo(np.float16).max)


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the graph with half precision where it is safe.

    Args:
        model: with single-precision inputs, outputs and weights; inputs of other types are left alone.

    Returns:
        A checked graph with the same inputs and outputs; the same bytes for the same graph, everywhere.
    """
    graph = _Halver(_with_plain_weights(model)).graph()
    half = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    onnx.checker.check_model(half, full_check=True)
    return half


def rehearsal(typed: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a graph that rounds on a CPU where a GPU rounds: to be run with optimisations off."""
    types, outputs = tensor_types(typed), {value.name for value in typed.graph.output}
    graph = onnx.GraphProto()
    graph.CopyFrom(typed.graph)
    del graph.node[:]
    del graph.value_info[:]
    graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.int64), _FIRST_AXIS))
    for node in typed.graph.node:
        kept = graph.node.add()
        kept.CopyFrom(node)
        for index, name in enumerate(node.output):
            if types.get(name) == TensorProto.FLOAT16 and name not in outputs:
                kept.output[index] = f"{name}/unrounded"
                graph.node.extend(_rounding(name))
    return helper.make_model(graph, opset_imports=typed.opset_import, ir_version=typed.ir_version)


def _rounding(name: str) -> tuple[onnx.NodeProto, onnx.NodeProto]:
    wide = helper.make_node("Unsqueeze", [f"{name}/unrounded", _FIRST_AXIS], [f"{name}/wide"])
    return wide, helper.make_node("Squeeze", [f"{name}/wide", _FIRST_AXIS], [name])


def _with_plain_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the graph with all constants among its weights, those that are cast at once in their final type."""
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    constants = {constant.name: constant for constant in model.graph.initializer}
    del plain.graph.node[:]
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = _renamed(node.attribute[0].t, node.output[0])
        elif node.op_type == "Cast" and node.input[0] in constants:
            to = helper.tensor_dtype_to_np_dtype(node.attribute[0].i)
            weights = numpy_helper.to_array(constants[node.input[0]]).astype(to)
            constants[node.output[0]] = numpy_helper.from_array(weights, node.output[0])
        else:
            plain.graph.node.append(node)
    del plain.graph.initializer[:]
    plain.graph.initializer.extend(constants.values())
    return plain


def _renamed(tensor: onnx.TensorProto, name: str) -> onnx.TensorProto:
    named = onnx.TensorProto()
    named.CopyFrom(tensor)
    named.name = name
    return named


def tensor_types(model: onnx.ModelProto) -> dict[str, int]:
    """Returns the element type of every tensor in a graph, by name."""
    graph = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True).graph
    types = {constant.name: constant.data_type for constant in graph.initializer}
    for value in (*graph.input, *graph.output, *graph.value_info):
        types[value.name] = value.type.tensor_type.elem_type
    return types


class _Halver:
    """Walks a graph once, in its order, and writes it anew."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._old = model.graph
        self._types = tensor_types(model)
        self._constants = {constant.name: numpy_helper.to_array(constant) for constant in self._old.initializer}
        self._half = _between_heavy(self._old.node) - {i for i, n in enumerate(self._old.node) if not self._fits(n)}
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}
        self._known: set[str] = set()

    def graph(self) -> onnx.GraphProto:
        for index, node in enumerate(self._old.node):
            self._add(node, half=index in self._half)
        used = {name for node in self._nodes for name in node.input}
        singles = [constant for constant in self._old.initializer if constant.name in used]
        return helper.make_graph(
            self._nodes,
            self._old.name or "graph",
            self._old.input,
            self._old.output,
            [*singles, *self._weights.values()],
        )

    def _add(self, node: onnx.NodeProto, *, half: bool) -> None:
        new = onnx.NodeProto()
        new.CopyFrom(node)
        if half:
            for index, name in enumerate(node.input):
                new.input[index] = self._as_half(name)
            if node.op_type == "Cast":
                _retarget(new)
        self._nodes.append(new)
        for index, name in enumerate(node.output):
            if half and self._types.get(name) == TensorProto.FLOAT:
                new.output[index] = _half_name(name)
                self._known.add(_half_name(name))
                if self._wanted_single(name):
                    self._nodes.append(helper.make_node("Cast", [_half_name(name)], [name], to=TensorProto.FLOAT))

    def _as_half(self, name: str) -> str:
        if self._types.get(name) != TensorProto.FLOAT:
            return name
        half = _half_name(name)
        if name in self._constants:
            self._weights.setdefault(half, numpy_helper.from_array(self._constants[name].astype(np.float16), half))
        elif half not in self._known:
            self._known.add(half)
            self._nodes.append(helper.make_node("Cast", [name], [half], to=TensorProto.FLOAT16))
        return half

    def _wanted_single(self, name: str) -> bool:
        readers = (i for i, node in enumerate(self._old.node) if name in node.input)
        return any(value.name == name for value in self._old.output) or any(i not in self._half for i in readers)

    def _fits(self, node: onnx.NodeProto) -> bool:
        """Says whether an operator can be half: none of its settings would overflow, vanish or need a sub-graph."""
        if node.op_type in SINGLE or any(attribute.HasField("g") for attribute in node.attribute):
            return False
        settings = (self._constants[name] for name in node.input if name in self._constants)
        return all(_survives(setting) for setting in settings)


def _between_heavy(nodes: Sequence[onnx.NodeProto]) -> set[int]:
    """Returns the indices of the operators on a way from one with weights to another, both included."""
    forth = [(index, node.input, node.output) for index, node in enumerate(nodes)]
    back = [(index, node.output, node.input) for index, node in reversed(list(enumerate(nodes)))]
    heavy = {index for index, node in enumerate(nodes) if node.op_type in HEAVY}
    return _reached(forth, heavy) & _reached(back, heavy)


def _reached(steps: Sequence[tuple[int, Iterable[str], Iterable[str]]], start: set[int]) -> set[int]:
    """Returns the indices that lie at or behind `start`; the steps (index, entries, exits) come in walking order."""
    tensors: set[str] = set()
    reached: set[int] = set()
    for index, entries, exits in steps:
        if index in start or any(name in tensors for name in entries):
            reached.add(index)
            tensors.update(exits)
    return reached


def _survives(values: NDArray[np.generic]) -> bool:
    if values.dtype != np.float32:
        return True
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest > _HALF_MAX:
        return False
    return values.size > _FEW or not np.any((values != 0) & (values.astype(np.float16) == 0))


def _half_name(name: str) -> str:
    return f"{name}/half"


def _retarget(cast: onnx.NodeProto) -> None:
    for attribute in cast.attribute:
        if attribute.name == "to" and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16
