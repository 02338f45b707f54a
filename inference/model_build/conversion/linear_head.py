"""Linear classifier on an embedding: softmax(embedding @ weight + bias)."""

import io
import zipfile
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

from inference.model_build.conversion.graph import GraphBuilder
from inference.model_build.errors import WeightsUnreadable

Parameters: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]


def convert(weights: bytes) -> onnx.ModelProto:
    """Make the head's graph.

    Args:
        weights: an `.npz` with `weight` [features, classes] and `bias` [classes].

    Returns:
        embedding FP32 [N, features] -> probabilities FP32 [N, classes].

    Raises:
        WeightsUnreadable: the bytes hold no such arrays.
    """
    weight, _ = parameters = read(weights)
    graph = GraphBuilder()
    add(graph, "embedding", parameters, output="probabilities")
    return graph.finish(
        "linear_head",
        {"embedding": ("FP32", (weight.shape[0],))},
        {"probabilities": ("FP32", (weight.shape[1],))},
    )


def read(weights: bytes) -> Parameters:
    """Read the weight [features, classes] and the bias [classes] of a head.

    Raises:
        WeightsUnreadable: the bytes hold no such arrays.
    """
    try:
        arrays = np.load(io.BytesIO(weights), allow_pickle=False)
        return arrays["weight"].astype(np.float32), arrays["bias"].astype(np.float32)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise WeightsUnreadable(f"not the arrays of a linear head: {error}", field="weights") from error


def add(graph: GraphBuilder, embedding: str, parameters: Parameters, *, output: str) -> None:
    """Add a head to a graph, on a tensor FP32 [N, features]; `output` gets probabilities FP32 [N, classes]."""
    weight, bias = parameters
    scores = graph.node("Gemm", embedding, graph.constant(weight), graph.constant(bias))
    graph.node("Softmax", scores, output=output, axis=1)
