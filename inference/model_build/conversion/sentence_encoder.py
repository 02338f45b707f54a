"""Sentence encoder all-MiniLM-L6-v2 with our signature: word pieces of one length in, a sentence's direction out.

The published file keeps each weight as bytes and scales. They are multiplied out here, because no TensorRT reads
them so; the table of word pieces, of which a sentence needs a few rows only, stays in half precision.
"""

from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from inference.model_build.conversion.foreign import adopt, read_network
from inference.model_build.conversion.graph import GraphBuilder
from inference.model_build.errors import WeightsUnreadable

LENGTH: Final = 32
WIDTH: Final = 384
_HIDDEN: Final = "last_hidden_state"
_TABLE: Final = "inner.embeddings.word_embeddings.weight"
_SMALLEST: Final = 1e-12


def convert(weights: bytes) -> onnx.ModelProto:
    """Make the encoder's graph.

    Args:
        weights: `model.onnx` of the package, with weights as bytes.

    Returns:
        ids INT64 [N, 32], mask INT64 [N, 32] -> embedding FP32 [N, 384], the mean of the pieces' states, of length 1
        (Reimers and Gurevych 2019).

    Raises:
        WeightsUnreadable: the bytes are not that network.
    """
    network = read_network(weights, outputs=[_HIDDEN], called="all-MiniLM-L6-v2")
    _multiply_out(network)
    graph = GraphBuilder()
    kinds = graph.node("Mul", "mask", graph.constant(np.asarray(0, np.int64)))
    (states,) = adopt(graph, network, {"input_ids": "ids", "attention_mask": "mask", "token_type_ids": kinds})
    _pool(graph, states)
    return graph.finish(
        "all_minilm_l6_v2",
        {"ids": ("INT64", (LENGTH,)), "mask": ("INT64", (LENGTH,))},
        {"embedding": ("FP32", (WIDTH,))},
    )


def _multiply_out(network: onnx.ModelProto) -> None:
    """Replace each `Mul(Cast(bytes), scales)` by the tensor that it comes to."""
    tensors = {tensor.name: tensor for tensor in network.graph.initializer}
    casts = {node.output[0]: node for node in network.graph.node if node.op_type == "Cast" and node.input[0] in tensors}
    gone = list(casts.values())
    for node in [each for each in network.graph.node if each.op_type == "Mul" and each.input[0] in casts]:
        small, scales = tensors[casts[node.input[0]].input[0]], tensors[node.input[1]]
        whole = numpy_helper.to_array(small).astype(np.float32) * numpy_helper.to_array(scales)
        _keep(network, node.output[0], whole)
        gone.append(node)
    if not gone:
        raise WeightsUnreadable("not the packaged all-MiniLM-L6-v2: no weight is kept as bytes", field="weights")
    for node in gone:
        network.graph.node.remove(node)


def _keep(network: onnx.ModelProto, name: str, array: NDArray[np.float32]) -> None:
    """Add a weight; the table in half precision, with its rows cast when they were looked up."""
    if name != _TABLE:
        network.graph.initializer.append(numpy_helper.from_array(array, name))
        return
    network.graph.initializer.append(numpy_helper.from_array(array.astype(np.float16), name))
    (lookup,) = (node for node in network.graph.node if node.op_type == "Gather" and node.input[0] == name)
    rows, half = lookup.output[0], f"{name}_rows"
    lookup.output[0] = half
    cast = onnx.helper.make_node("Cast", [half], [rows], to=TensorProto.FLOAT)
    network.graph.node.insert(list(network.graph.node).index(lookup) + 1, cast)


def _pool(graph: GraphBuilder, states: str) -> None:
    """Averages the states of the pieces that the mask names, and gives the mean the length 1."""
    weights = graph.node("Unsqueeze", graph.node("Cast", "mask", to=TensorProto.FLOAT), graph.integers(2))
    total = graph.node("ReduceSum", graph.node("Mul", states, weights), graph.integers(1), keepdims=0)
    length = graph.node("ReduceL2", total, axes=[1], keepdims=1)
    graph.node("Div", total, graph.node("Max", length, graph.floats(_SMALLEST)), output="embedding")
