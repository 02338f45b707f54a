"""A linear classifier on an embedding: softmax(embedding @ weight + bias)."""

import io
import zipfile

import numpy as np
import onnx

from inference.models.conversion.graph import GraphBuilder
from inference.models.errors import WeightsUnreadable


def convert(weights: bytes) -> onnx.ModelProto:
    """Makes the head's graph.

    Args:
        weights: an `.npz` with `weight` [features, classes] and `bias` [classes].

    Returns:
        embedding FP32 [N, features] -> probabilities FP32 [N, classes].

    Raises:
        WeightsUnreadable: the bytes hold no such arrays.
    """
    try:
        arrays = np.load(io.BytesIO(weights), allow_pickle=False)
        weight, bias = arrays["weight"].astype(np.float32), arrays["bias"].astype(np.float32)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise WeightsUnreadable(f"not the arrays of a linear head: {error}", field="weights") from error
    graph = GraphBuilder()
    scores = graph.node("Gemm", "embedding", graph.constant(weight), graph.constant(bias))
    graph.node("Softmax", scores, output="probabilities", axis=1)
    return graph.finish(
        "linear_head",
        {"embedding": ("FP32", (weight.shape[0],))},
        {"probabilities": ("FP32", (weight.shape[1],))},
    )
