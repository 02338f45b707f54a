"""Networks that are published as ONNX already: read, checked, brought to our operator set, and put into our graph."""

from collections.abc import Mapping, Sequence
from typing import Final

import onnx
from google.protobuf.message import DecodeError
from onnx import compose, numpy_helper, version_converter

from inference.model_build.conversion.graph import OPSET, GraphBuilder
from inference.model_build.errors import WeightsUnreadable

_PREFIX: Final = "published/"


def read_network(weights: bytes, *, outputs: Sequence[str], called: str) -> onnx.ModelProto:
    """Read a published network and bring it to our operator set.

    Args:
        weights: the ONNX file's bytes.
        outputs: names of its outputs, by which it is known to be the right one.
        called: what it is called in the error.

    Raises:
        WeightsUnreadable: the bytes are not that network.
    """
    try:
        network = onnx.load_model_from_string(weights)
    except DecodeError as error:
        raise WeightsUnreadable(f"not an ONNX file: {error}", field="weights") from error
    found = [output.name for output in network.graph.output]
    if found != list(outputs):
        raise WeightsUnreadable(f"not {called}: its outputs are {found}", field="weights")
    return version_converter.convert_version(network, OPSET)


def adopt(graph: GraphBuilder, network: onnx.ModelProto, inputs: Mapping[str, str]) -> list[str]:
    """Put a network's nodes and constants into a graph, under names that none of ours can have.

    Args:
        graph: the graph to extend.
        network: as `read_network` returns it.
        inputs: name of one of its inputs -> name of our tensor that takes its place.

    Returns:
        The names that its outputs have in the graph.
    """
    network = compose.add_prefix(network, _PREFIX)
    nodes = [node for node in network.graph.node if node.op_type != "Constant"]
    constants = [*network.graph.initializer, *_constants(network)]
    ours = {_PREFIX + theirs: tensor for theirs, tensor in inputs.items()}
    for node in nodes:
        node.input[:] = [ours.get(name, name) for name in node.input]
    used = {name for node in nodes for name in node.input}
    graph.splice(nodes, [constant for constant in constants if constant.name in used])
    return [output.name for output in network.graph.output]


def _constants(network: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Return what constant nodes hold, as tensors under the names of the nodes' outputs."""
    found = []
    for node in network.graph.node:
        if node.op_type == "Constant":
            (value,) = (attribute.t for attribute in node.attribute if attribute.name == "value")
            found.append(numpy_helper.from_array(numpy_helper.to_array(value), node.output[0]))
    return found
