"""A small network of pixels, two convolutions and a head, for tests of the engines."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from inference.engines.deltas import Limit
from inference.engines.exports import Export, export
from inference.engines.profiles import Batch, Profile
from inference.model_build.build import BuiltModel
from inference.model_build.conversion.graph import GraphBuilder
from inference.model_build.manifest import FileSource, Licence, Manifest, Model

SIDE = 12
CLASSES = 5
PROFILE = Profile(
    batch=Batch(least=1, tuned=2, most=4),
    half=True,
    limits=(
        Limit(output="probabilities", metric="largest_difference", most=0.01),
        Limit(output="probabilities", metric="disagreement", most=0.0),
    ),
)


def small_model(folder: Path) -> Model:
    """Make a model whose manifest says what `small_graph` has."""
    manifest = Manifest.model_validate(
        {
            "name": "small_net",
            "version": 1,
            "task": "Tells five things apart.",
            "slot": "document_head",
            "recipe": "linear_head",
            "source": FileSource(kind="file", file="none", sha256="0" * 64, trained_by="nobody"),
            "licence": Licence(spdx="CC0-1.0", copyright="none", upstream="none", data="none", data_terms="none"),
            "batching": {"largest": 4},
            "inputs": [{"name": "image", "element": "UINT8", "shape": [SIDE, SIDE, 3], "meaning": "pixels"}],
            "outputs": [{"name": "probabilities", "element": "FP32", "shape": [CLASSES], "meaning": "how likely"}],
        }
    )
    return Model(folder, manifest)


def small_graph(*, scale: float = 1.0) -> onnx.ModelProto:
    """UINT8 pixels -> convolution, convolution, mean, matrix -> probabilities; `scale` blows the first weights up."""
    chance = np.random.default_rng(5)

    def weights(*shape: int) -> NDArray[np.float32]:
        return np.asarray(chance.normal(size=shape) / np.sqrt(np.prod(shape[1:])), np.float32)

    graph = GraphBuilder()
    pixels = graph.node("Transpose", graph.node("Cast", "image", to=onnx.TensorProto.FLOAT), perm=[0, 3, 1, 2])
    features = graph.node("Mul", pixels, graph.floats(1 / 255))
    for weight in (weights(8, 3, 3, 3) * np.float32(scale), weights(8, 8, 3, 3) / np.float32(scale)):
        features = graph.node("Relu", graph.node("Conv", features, graph.constant(weight), pads=[1, 1, 1, 1]))
    vector = graph.node("Flatten", graph.node("GlobalAveragePool", features))
    logits = graph.node("MatMul", vector, graph.constant(weights(CLASSES, 8).T * 8))
    graph.node("Softmax", logits, output="probabilities", axis=-1)
    inputs, outputs = {"image": ("UINT8", (SIDE, SIDE, 3))}, {"probabilities": ("FP32", (CLASSES,))}
    return graph.finish("small_net", inputs, outputs)


def built(folder: Path, graph: onnx.ModelProto) -> BuiltModel:
    """Make the model as a build would have left it."""
    folder.mkdir(exist_ok=True)
    onnx.save(graph, str(folder / "model.onnx"))
    data = (folder / "model.onnx").read_bytes()
    return BuiltModel("small_net", "small_net-1", "key", hashlib.sha256(data).hexdigest(), len(data), folder)


def small_export(folder: Path, *, profile: Profile = PROFILE, scale: float = 1.0) -> Export:
    """Make the exported model, under `folder/engines`."""
    lies = built(folder / "built", small_graph(scale=scale))
    return export(small_model(folder), lies, folder / "engines", under=profile)
