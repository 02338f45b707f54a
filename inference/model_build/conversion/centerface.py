"""CenterFace as published, with our signature: a letterboxed picture in, decoded candidates out.

The published graph answers with four maps at a quarter of the picture's side. Decoding them inside the graph
makes the answer 128 rows instead of 1.5 MB, and hides from everybody else which detector it is.
"""

from typing import Final

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from inference.model_build.conversion.graph import GraphBuilder
from inference.model_build.errors import WeightsUnreadable

SIDE: Final = 640
CANDIDATES: Final = 128
_STRIDE: Final = 4
_CELLS: Final = SIDE // _STRIDE
_POINTS: Final = 5
_INPUT: Final = "input.1"
_HEATMAP, _SCALE, _OFFSET, _LANDMARKS = "537", "538", "539", "540"


def convert(weights: bytes) -> onnx.ModelProto:
    """Make the detector's graph.

    Args:
        weights: `centerface.onnx` as published.

    Returns:
        image UINT8 [N, 640, 640, 3] RGB -> boxes [N, 128, 4] (left, top, right, bottom in pixels), scores
        [N, 128] in falling order, landmarks [N, 128, 5, 2] (x, y in pixels: the subject's right eye, left eye,
        nose, right and left corner of the mouth as they appear from left to right).

    Raises:
        WeightsUnreadable: the bytes are not that network.
    """
    network = _read(weights)
    graph = GraphBuilder()
    planes = graph.picture_to_planes("image")
    for node in network.graph.node:
        node.input[:] = [planes if name == _INPUT else name for name in node.input]
    used = {name for node in network.graph.node for name in node.input}
    graph.splice(list(network.graph.node), [c for c in network.graph.initializer if c.name in used])
    _decode(graph)
    return graph.finish(
        "centerface",
        {"image": ("UINT8", (SIDE, SIDE, 3))},
        {
            "boxes": ("FP32", (CANDIDATES, 4)),
            "scores": ("FP32", (CANDIDATES,)),
            "landmarks": ("FP32", (CANDIDATES, _POINTS, 2)),
        },
    )


def _read(weights: bytes) -> onnx.ModelProto:
    try:
        network = onnx.load_model_from_string(weights)
    except DecodeError as error:
        raise WeightsUnreadable(f"not an ONNX file: {error}", field="weights") from error
    outputs = [output.name for output in network.graph.output]
    if outputs != [_HEATMAP, _SCALE, _OFFSET, _LANDMARKS]:
        raise WeightsUnreadable(f"not CenterFace: its outputs are {outputs}", field="weights")
    return network


def _decode(graph: GraphBuilder) -> None:
    """Pick the best peaks and turn each cell's numbers into a box and five points."""
    cells = _best_cells(graph)
    maps = graph.node("Concat", _SCALE, _OFFSET, _LANDMARKS, axis=1)
    channels = 4 + 2 * _POINTS
    flat = graph.node("Reshape", maps, graph.integers(0, channels, _CELLS * _CELLS))
    everywhere = graph.node("Expand", graph.node("Unsqueeze", cells, graph.integers(1)), graph.integers(1, channels, 1))
    rows = graph.node("Transpose", graph.node("GatherElements", flat, everywhere, axis=2), perm=[0, 2, 1])
    scale, offset, points = graph.split(rows, [2, 2, 2 * _POINTS], axis=2)
    size = graph.node("Mul", graph.node("Exp", scale), graph.floats(_STRIDE))
    corner = _corner(graph, cells, offset, size)
    swapped = [_swap(graph, tensor) for tensor in (corner, graph.node("Add", corner, size))]
    graph.node("Concat", *swapped, output="boxes", axis=2)
    _landmarks(graph, points, corner, size)


def _best_cells(graph: GraphBuilder) -> str:
    """Return the cells with the highest scores among those that no neighbour exceeds."""
    pooled = graph.node("MaxPool", _HEATMAP, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    peak = graph.node("Cast", graph.node("Equal", _HEATMAP, pooled), to=onnx.TensorProto.FLOAT)
    peaks = graph.node("Mul", _HEATMAP, peak)
    flat = graph.node("Reshape", peaks, graph.integers(0, _CELLS * _CELLS))
    return graph.best(flat, CANDIDATES, values="scores")


def _corner(graph: GraphBuilder, cells: str, offset: str, size: str) -> str:
    """Return top and left of each box, in pixels: [N, candidates, 2]."""
    side = graph.constant(np.asarray(_CELLS, np.int64))
    row = graph.node("Div", cells, side)
    column = graph.node("Sub", cells, graph.node("Mul", row, side))
    grid = graph.node("Concat", *(graph.node("Unsqueeze", axis, graph.integers(2)) for axis in (row, column)), axis=2)
    moved = graph.node("Add", graph.node("Cast", grid, to=onnx.TensorProto.FLOAT), offset)
    centre = graph.node("Mul", graph.node("Add", moved, graph.floats(0.5)), graph.floats(_STRIDE))
    return graph.node("Sub", centre, graph.node("Mul", size, graph.floats(0.5)))


def _swap(graph: GraphBuilder, tensor: str) -> str:
    """Turn (y, x) on the last axis into (x, y)."""
    return graph.node("Gather", tensor, graph.integers(1, 0), axis=-1)


def _landmarks(graph: GraphBuilder, points: str, corner: str, size: str) -> None:
    """Turn points relative to their box, (y, x), into pixels, (x, y)."""
    relative = graph.node("Reshape", points, graph.integers(0, CANDIDATES, _POINTS, 2))
    corners, sizes = (graph.node("Unsqueeze", tensor, graph.integers(2)) for tensor in (corner, size))
    pixels = graph.node("Add", graph.node("Mul", relative, sizes), corners)
    graph.node("Gather", pixels, graph.integers(1, 0), output="landmarks", axis=-1)
