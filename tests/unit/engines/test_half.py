"""Half precision in the graph: where it goes, where it does not, and that rounding is really looked at."""

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from inference.engines.deltas import METRICS
from inference.engines.errors import GraphUnsupported
from inference.engines.exports import check_readable, graph_inputs
from inference.engines.half import rehearsal, run, tensor_types, to_half
from inference.engines.probes import Probe
from tests.unit.engines.small import SIDE, small_graph

PICTURE = np.arange(SIDE * SIDE * 3, dtype=np.uint8).reshape(1, SIDE, SIDE, 3)


def network(
    nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]
) -> onnx.ModelProto:
    """X FLOAT [N, 4] to y FLOAT [N, 4] by the nodes given."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4]) for name in ("x", "y")]
    weights = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "network", values[:1], values[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def between(*nodes: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Put operators that go from a to b between two matrix products."""
    return [helper.make_node("MatMul", ["x", "one"], ["a"]), *nodes, helper.make_node("MatMul", ["b", "one"], ["y"])]


ONE = np.eye(4, dtype=np.float32)


def types_of(model: onnx.ModelProto, operator: str) -> set[int]:
    """Make the element types that go into the operators of a kind."""
    types = tensor_types(model)
    return {types[node.input[0]] for node in model.graph.node if node.op_type == operator}


def test_half_goes_from_the_first_weights_to_the_last() -> None:
    half = to_half(small_graph())

    assert types_of(half, "Conv") == types_of(half, "Relu") == types_of(half, "MatMul") == {TensorProto.FLOAT16}
    assert types_of(half, "Mul") == types_of(half, "Softmax") == {TensorProto.FLOAT}
    assert types_of(half, "GlobalAveragePool") == {TensorProto.FLOAT}


def test_inputs_and_outputs_keep_their_types() -> None:
    half = to_half(small_graph())

    assert [value.type.tensor_type.elem_type for value in half.graph.input] == [TensorProto.UINT8]
    assert [value.type.tensor_type.elem_type for value in half.graph.output] == [TensorProto.FLOAT]


def test_the_same_graph_gives_the_same_bytes() -> None:
    first, second = (to_half(small_graph()).SerializeToString(deterministic=True) for _ in range(2))

    assert first == second


def test_weights_are_kept_once_and_in_half() -> None:
    sizes = [len(model.SerializeToString()) for model in (small_graph(scale=1), to_half(small_graph(scale=1)))]
    names = [constant.name for constant in to_half(small_graph()).graph.initializer]

    assert sizes[1] < sizes[0]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("operator", "setting"), [("Add", 1e-12), ("Where", -1e9), ("Mul", 1e6)], ids=["epsilon", "mask", "large"]
)
def test_a_setting_that_half_cannot_hold_keeps_its_operator_single(operator: str, setting: float) -> None:
    constants: dict[str, NDArray[Any]] = {
        "one": ONE,
        "setting": np.asarray([setting], np.float32),
        "yes": np.ones((1, 4), np.bool_),
    }
    inputs = ["yes", "a", "setting"] if operator == "Where" else ["a", "setting"]
    model = network(between(helper.make_node(operator, inputs, ["b"])), constants)

    half = to_half(model)

    kept = next(node for node in half.graph.node if node.op_type == operator)
    assert {tensor_types(half)[name] for name in kept.input} <= {TensorProto.FLOAT, TensorProto.BOOL}
    assert types_of(half, "MatMul") == {TensorProto.FLOAT16}


def test_weights_kept_in_half_are_not_cast_twice() -> None:
    nodes = [
        helper.make_node("Cast", ["kept"], ["one"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "one"], ["y"]),
    ]

    half = to_half(network(nodes, {"kept": ONE.astype(np.float16)}))

    assert [node.op_type for node in half.graph.node] == ["Cast", "MatMul", "Cast"]


def test_a_constant_inside_the_graph_is_a_weight_like_any_other() -> None:
    weight = helper.make_node("Constant", [], ["kept"], value=numpy_helper.from_array(ONE))

    half = to_half(network([weight, helper.make_node("MatMul", ["x", "kept"], ["y"])], {}))

    assert [node.op_type for node in half.graph.node] == ["Cast", "MatMul", "Cast"]
    assert [constant.data_type for constant in half.graph.initializer] == [TensorProto.FLOAT16]


def test_a_cpu_rounds_between_operators_only_when_it_rehearses() -> None:
    # 1 + 2^-12 is 1 in half precision, so that nothing is left when 1 is taken away again.
    constants: dict[str, NDArray[Any]] = {
        "one": ONE,
        "little": np.full(4, 2**-12, np.float32),
        "less": np.full(4, -1, np.float32),
    }
    nodes = between(helper.make_node("Add", ["a", "little"], ["c"]), helper.make_node("Add", ["c", "less"], ["b"]))
    half, ones = to_half(network(nodes, constants)), [Probe("ones", {"x": np.ones((1, 4), np.float32)})]

    plain, rehearsed = run(half, ones)[0]["y"], run(rehearsal(half), ones, optimised=False)[0]["y"]

    assert np.all(plain == 2**-12)
    assert np.all(rehearsed == 0)


def test_half_answers_as_single_does() -> None:
    probe = [Probe("picture", {"image": PICTURE})]
    single, half = run(small_graph(), probe)[0], run(rehearsal(to_half(small_graph())), probe, optimised=False)[0]

    assert METRICS["largest_difference"](half, single, "probabilities") < 2e-3


def test_an_overflow_in_half_is_seen() -> None:
    blown_up = to_half(small_graph(scale=1e6))

    answer = run(rehearsal(blown_up), [Probe("picture", {"image": PICTURE})], optimised=False)[0]

    assert not np.all(np.isfinite(answer["probabilities"]))


def test_a_graph_with_integer_matrices_is_refused_by_name() -> None:
    nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])]

    with pytest.raises(GraphUnsupported, match="TensorRT reads no DynamicQuantizeLinear"):
        check_readable("tiny", network(nodes, {}))


def test_pixels_that_are_not_cast_first_are_refused() -> None:
    graph = small_graph()
    graph.graph.node[0].op_type = "Identity"

    with pytest.raises(GraphUnsupported, match="UINT8 at a Cast only, but Identity"):
        check_readable("small", graph)


def test_a_free_size_has_to_be_fixed_by_the_profile() -> None:
    graph = small_graph()
    graph.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "height"

    with pytest.raises(GraphUnsupported, match="fix them under shapes"):
        graph_inputs(graph, {})
    assert graph_inputs(graph, {"image": (SIDE, SIDE, 3)})[0].shape == (SIDE, SIDE, 3)
