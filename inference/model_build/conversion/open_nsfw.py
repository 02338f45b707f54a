"""Yahoo's open_nsfw (a thin ResNet-50) with our signature: the scene classifier's square in, one probability out."""

from typing import Final

import onnx

from inference.model_build.conversion.foreign import adopt, read_network
from inference.model_build.conversion.graph import GraphBuilder

SIDE: Final = 224
_INPUT: Final = "input:0"
_OUTPUT: Final = "outputs"
_MEAN_BGR: Final = (104.0, 117.0, 123.0)


def convert(weights: bytes) -> onnx.ModelProto:
    """Make the classifier's graph.

    Args:
        weights: `open-nsfw.onnx` as published, which reads BGR and answers [safe, not safe].

    Returns:
        image UINT8 [N, 224, 224, 3] RGB -> probability FP32 [N, 1].

    Raises:
        WeightsUnreadable: the bytes are not that network.
    """
    network = read_network(weights, outputs=[_OUTPUT], called="open_nsfw")
    graph = GraphBuilder()
    colours = graph.node("Cast", "image", to=onnx.TensorProto.FLOAT)
    swapped = graph.node("Gather", colours, graph.integers(2, 1, 0), axis=3)
    (answer,) = adopt(graph, network, {_INPUT: graph.node("Sub", swapped, graph.floats(*_MEAN_BGR))})
    _, probability = graph.split(answer, [1, 1], axis=1)
    graph.node("Identity", probability, output="probability")
    return graph.finish("open_nsfw", {"image": ("UINT8", (SIDE, SIDE, 3))}, {"probability": ("FP32", (1,))})
