"""Half precision in a graph, strongly typed: every tensor has the type it is computed in.

Half are the operators between the first and the last one with weights to multiply (convolution, matrix product),
so that pixels are normalised, and answers decoded, in single precision; sums and exponentials in between stay
single too. Inputs and outputs keep their types. ONNX Runtime's converter types the graph; which operators it leaves
alone is decided here, since it would clamp a setting that half cannot hold. ONNX Runtime alone is no help in measuring
such a graph: on a CPU it computes half operators in single precision and drops the rounding between them, even of an
operator that only copies (seen with 1.28). `rehearsal` puts the rounding back: two copying operators in a row are left
in half.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from inference.engines.deltas import Delta, Tensors, deltas
from inference.engines.probes import Probe
from inference.engines.profiles import Profile
from inference.model_build.sessions import ModelSession

HEAVY: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
SINGLE: Final = frozenset({
    "CumSum", "Exp", "GlobalAveragePool", "GroupNormalization", "InstanceNormalization", "LayerNormalization",
    "Log", "LogSoftmax", "Pow", "Range", "Reciprocal", "ReduceL2", "ReduceMean", "ReduceSum", "Resize", "Softmax",
    "Sqrt", "TopK",
})  # fmt: skip
_FEW: Final = 16  # a constant of so few numbers is a setting, such as a mask or an epsilon, and must survive
_FIRST_AXIS: Final = "rehearsal/first_axis"
_HALF_MAX: Final = float(np.finfo(np.float16).max)


def choose(
    model: onnx.ModelProto, profile: Profile, probes: Sequence[Probe], reference: Sequence[Tensors]
) -> tuple[onnx.ModelProto, tuple[Delta, ...]]:
    """Take half precision when the profile wants it and every limit holds, else leave the graph as it is.

    Args:
        model: in single precision.
        profile: says whether half is tried, and the limits.
        probes: what to ask.
        reference: what the model answers to each probe in single precision.

    Returns:
        The typed graph, which is the model itself if half is not taken; and the deltas, none when it was not tried.
    """
    if not profile.half:
        return model, ()
    half = to_half(model)
    answers = run(rehearsal(half), probes, optimised=False)
    measured = deltas(profile.limits, [probe.name for probe in probes], answers, reference)
    return half if all(delta.holds for delta in measured) else model, measured


def run(
    model: onnx.ModelProto, probes: Sequence[Probe], *, optimised: bool = True
) -> list[dict[str, NDArray[np.generic]]]:
    """Run every probe through a graph in ONNX Runtime, without fusing operators where their rounding is looked at."""
    session = ModelSession(model.SerializeToString(), optimised=optimised)
    return [session.run(probe.inputs) for probe in probes]


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with half precision where it is safe.

    Args:
        model: with single-precision inputs, outputs and weights; inputs of other types are left alone.

    Returns:
        A checked graph with the same inputs and outputs; the same bytes for the same graph, everywhere.
    """
    plain = _with_plain_weights(model)
    half = convert_float_to_float16(plain, keep_io_types=True, op_block_list=[], node_block_list=_single(plain.graph))
    _merge_casts(half.graph)
    tidy = OnnxModel(half)
    tidy.prune_graph(allow_remove_graph_inputs=False)
    tidy.topological_sort()
    del half.graph.value_info[:]
    onnx.checker.check_model(half, full_check=True)
    return half


def rehearsal(typed: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph that rounds on a CPU where a GPU rounds: to be run with optimisations off."""
    types, outputs = tensor_types(typed), {value.name for value in typed.graph.output}
    rounding = onnx.ModelProto()
    rounding.CopyFrom(typed)
    del rounding.graph.node[:]
    rounding.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.int64), _FIRST_AXIS))
    for node in typed.graph.node:
        kept = rounding.graph.node.add()
        kept.CopyFrom(node)
        for index, name in enumerate(node.output):
            if types.get(name) == TensorProto.FLOAT16 and name not in outputs:
                exact, wide = f"{name}/unrounded", f"{name}/wide"
                kept.output[index] = exact
                rounding.graph.node.append(helper.make_node("Unsqueeze", [exact, _FIRST_AXIS], [wide]))
                rounding.graph.node.append(helper.make_node("Squeeze", [wide, _FIRST_AXIS], [name]))
    return rounding


def tensor_types(model: onnx.ModelProto) -> dict[str, int]:
    """Return the element type of every tensor in a graph, by name."""
    graph = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True).graph
    types = {constant.name: constant.data_type for constant in graph.initializer}
    values = (*graph.input, *graph.output, *graph.value_info)
    return types | {value.name: value.type.tensor_type.elem_type for value in values}


def _with_plain_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with its operators numbered and all constants among its weights, cast ones in their final type.

    The converter knows operators by name, and would make half of what a constant inside the graph holds for single.
    """
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    constants = {constant.name: constant for constant in model.graph.initializer}
    del plain.graph.node[:]
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            value = numpy_helper.to_array(node.attribute[0].t)
            constants[node.output[0]] = numpy_helper.from_array(value, node.output[0])
        elif node.op_type == "Cast" and node.input[0] in constants:
            to = helper.tensor_dtype_to_np_dtype(node.attribute[0].i)
            value = numpy_helper.to_array(constants[node.input[0]]).astype(to)
            constants[node.output[0]] = numpy_helper.from_array(value, node.output[0])
        else:
            plain.graph.node.add().CopyFrom(node)
            plain.graph.node[-1].name = str(len(plain.graph.node))
    del plain.graph.initializer[:]
    plain.graph.initializer.extend(constants.values())
    return plain


def _single(graph: onnx.GraphProto) -> list[str]:
    """Return the names of the operators that stay single."""
    constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    between = _between_heavy(graph.node)
    return [node.name for index, node in enumerate(graph.node) if index not in between or not _fits(node, constants)]


def _between_heavy(nodes: Sequence[onnx.NodeProto]) -> set[int]:
    """Return the indices of the operators on a way from one with weights to another, both included."""
    forth = [(index, node.input, node.output) for index, node in enumerate(nodes)]
    back = [(index, node.output, node.input) for index, node in reversed(list(enumerate(nodes)))]
    heavy = {index for index, node in enumerate(nodes) if node.op_type in HEAVY}
    return _reached(forth, heavy) & _reached(back, heavy)


def _reached(steps: Sequence[tuple[int, Iterable[str], Iterable[str]]], start: set[int]) -> set[int]:
    """Return the indices that lie at or behind `start`; the steps (index, entries, exits) come in walking order."""
    tensors: set[str] = set()
    reached: set[int] = set()
    for index, entries, exits in steps:
        if index in start or not tensors.isdisjoint(entries):
            reached.add(index)
            tensors.update(exits)
    return reached


def _fits(node: onnx.NodeProto, constants: Mapping[str, NDArray[np.generic]]) -> bool:
    """Say whether an operator can be half: none of its settings would overflow, vanish or need a sub-graph."""
    if node.op_type in SINGLE or any(attribute.HasField("g") for attribute in node.attribute):
        return False
    return all(_survives(constants[name]) for name in node.input if name in constants)


def _survives(values: NDArray[np.generic]) -> bool:
    if values.dtype != np.float32:
        return True
    if float(np.max(np.abs(values), initial=0.0)) > _HALF_MAX:
        return False
    return values.size > _FEW or not np.any((values != 0) & (values.astype(np.float16) == 0))


def _merge_casts(graph: onnx.GraphProto) -> None:
    """Take out what the converter casts twice, and what it rounds to half on the way between two single operators."""
    made = [node for node in graph.node if node.op_type == "Cast" and not node.name.isdigit()]
    single = {node.output[0]: node.input[0] for node in made if node.attribute[0].i == TensorProto.FLOAT16}
    outputs, same = {value.name for value in graph.output}, {}
    for node in made:
        if node.input[0] in single:
            unrounded, back = single[node.input[0]], node.output[0]
            same.update({unrounded: back} if back in outputs else {back: unrounded})
            node.output[0] = node.input[0]
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [same.get(same.get(name, name), same.get(name, name)) for name in names]
    once = {node.output[0]: node for node in graph.node if node.output[0] not in node.input}
    del graph.node[:]
    graph.node.extend(once.values())
