"""PP-OCRv4's text detector and reader with our signatures: pictures in; a map of text, and read characters, out.

Both networks read BGR as (value / 255 - 0.5) / 0.5. The detector answers with a probability for each pixel, of which
a byte is kept. Of the reader's 6625 probabilities at each step only the best is kept, which is all that greedy
decoding (Graves et al. 2006) looks at: 320 bytes of answer instead of a megabyte.
"""

from typing import Final

import onnx
from onnx import TensorProto

from inference.model_build.conversion.foreign import adopt, read_network
from inference.model_build.conversion.graph import GraphBuilder

SIDE: Final = 640
LINE_HEIGHT: Final = 48
LINE_WIDTH: Final = 320
STEPS: Final = LINE_WIDTH // 8
_INPUT: Final = "x"
_MAP: Final = "sigmoid_0.tmp_0"
_PROBABILITIES: Final = "softmax_11.tmp_0"
_HALF: Final = 127.5


def convert_detector(weights: bytes) -> onnx.ModelProto:
    """Make the detector's graph.

    Args:
        weights: `ch_PP-OCRv4_det_infer.onnx` as published.

    Returns:
        image UINT8 [N, 640, 640, 3] RGB -> text_map UINT8 [N, 640, 640]: 255 where text is for sure.

    Raises:
        WeightsUnreadable: the bytes are not that network.
    """
    network = read_network(weights, outputs=[_MAP], called="PP-OCRv4's detector")
    graph = GraphBuilder()
    (text,) = adopt(graph, network, {_INPUT: _normalised_planes(graph, "image")})
    flat = graph.node("Squeeze", text, graph.integers(1))
    scaled = graph.node("Round", graph.node("Mul", flat, graph.floats(255.0)))
    graph.node("Cast", scaled, output="text_map", to=TensorProto.UINT8)
    return graph.finish(
        "ppocr_v4_detector", {"image": ("UINT8", (SIDE, SIDE, 3))}, {"text_map": ("UINT8", (SIDE, SIDE))}
    )


def convert_reader(weights: bytes) -> onnx.ModelProto:
    """Make the reader's graph.

    Args:
        weights: `ch_PP-OCRv4_rec_infer.onnx` as published.

    Returns:
        line UINT8 [N, 48, 320, 3] RGB -> tokens INT32 [N, 40] (0: nothing new), scores FP32 [N, 40].

    Raises:
        WeightsUnreadable: the bytes are not that network.
    """
    network = read_network(weights, outputs=[_PROBABILITIES], called="PP-OCRv4's reader")
    graph = GraphBuilder()
    (probabilities,) = adopt(graph, network, {_INPUT: _normalised_planes(graph, "line")})
    tokens = graph.node("ArgMax", probabilities, axis=2, keepdims=0)
    graph.node("Cast", tokens, output="tokens", to=TensorProto.INT32)
    graph.node("ReduceMax", probabilities, output="scores", axes=[2], keepdims=0)
    return graph.finish(
        "ppocr_v4_reader",
        {"line": ("UINT8", (LINE_HEIGHT, LINE_WIDTH, 3))},
        {"tokens": ("INT32", (STEPS,)), "scores": ("FP32", (STEPS,))},
    )


def _normalised_planes(graph: GraphBuilder, picture: str) -> str:
    """Turn RGB 0..255, NHWC, into BGR -1..1, NCHW."""
    planes = graph.node("Gather", graph.picture_to_planes(picture), graph.integers(2, 1, 0), axis=1)
    return graph.node("Mul", graph.node("Sub", planes, graph.floats(_HALF)), graph.floats(1 / _HALF))
