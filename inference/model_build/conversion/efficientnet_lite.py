"""EfficientNet-Lite0 from its PyTorch state dict: logits of ImageNet's 1000 classes and the embedding below them.

The document head reads that embedding in the same graph: one question tells what a picture shows, and of what kind.

Batch normalisation is folded into the convolutions; TensorFlow's SAME padding, which depends on the size of the
input, is made explicit for 224 x 224.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray

from inference.model_build.conversion import linear_head
from inference.model_build.conversion.graph import GraphBuilder
from inference.model_build.conversion.torch_pickle import read_state_dict
from inference.model_build.errors import WeightsUnreadable

SIDE: Final = 224
_EPSILON: Final = 1e-3
_MEAN: Final = 127.0
_SCALE: Final = 1 / 128


@dataclass(frozen=True)
class _Stage:
    """A row of the architecture's table: inverted residual blocks of one width."""

    repeats: int
    stride: int
    expands: bool
    channels: int


_STAGES: Final = (
    _Stage(1, 1, expands=False, channels=16),
    _Stage(2, 2, expands=True, channels=24),
    _Stage(2, 2, expands=True, channels=40),
    _Stage(3, 2, expands=True, channels=80),
    _Stage(3, 1, expands=True, channels=112),
    _Stage(4, 2, expands=True, channels=192),
    _Stage(1, 1, expands=True, channels=320),
)


@dataclass(frozen=True)
class _Feature:
    """A tensor of the trunk: its name in the graph, its channels and its side."""

    name: str
    channels: int
    side: int


class _Trunk:
    """Adds the network's layers to a graph, reading its parameters by name."""

    def __init__(self, graph: GraphBuilder, parameters: dict[str, NDArray[np.generic]]) -> None:
        self._graph = graph
        self._parameters = parameters
        self._zero, self._six = graph.floats(0.0), graph.floats(6.0)

    def convolution(
        self, feature: _Feature, layer: str, norm: str, *, stride: int = 1, depthwise: bool = False, clip: bool = True
    ) -> _Feature:
        """Add a convolution with its batch normalisation folded in, and the ReLU6 when `clip` says so."""
        weight, bias = self._folded(layer, norm)
        kernel, group = weight.shape[2], (feature.channels if depthwise else 1)
        side = math.ceil(feature.side / stride)
        padding = max((side - 1) * stride + kernel - feature.side, 0)
        before, after = padding // 2, padding - padding // 2
        name = self._graph.node(
            "Conv",
            feature.name,
            self._graph.constant(weight),
            self._graph.constant(bias),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=group,
        )
        if clip:
            name = self._graph.node("Clip", name, self._zero, self._six)
        return _Feature(name, weight.shape[0], side)

    def block(self, feature: _Feature, index: int, stage: _Stage, stride: int) -> _Feature:
        """Add one inverted residual block: expand, filter each channel, project, and add where shapes allow."""
        prefix, hidden = f"_blocks.{index}.", feature
        if stage.expands:
            hidden = self.convolution(hidden, f"{prefix}_expand_conv", f"{prefix}_bn0")
        hidden = self.convolution(hidden, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride=stride, depthwise=True)
        result = self.convolution(hidden, f"{prefix}_project_conv", f"{prefix}_bn2", clip=False)
        if stride == 1 and result.channels == feature.channels:
            return _Feature(self._graph.node("Add", result.name, feature.name), result.channels, result.side)
        return result

    def _folded(self, layer: str, norm: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        def parameter(name: str) -> NDArray[np.float64]:
            return self._parameters[name].astype(np.float64)

        gain = parameter(f"{norm}.weight") / np.sqrt(parameter(f"{norm}.running_var") + _EPSILON)
        bias = parameter(f"{norm}.bias") - parameter(f"{norm}.running_mean") * gain
        weight = parameter(f"{layer}.weight") * gain[:, None, None, None]
        return weight.astype(np.float32), bias.astype(np.float32)


def convert(weights: bytes, head: bytes) -> onnx.ModelProto:
    """Make the classifier's graph.

    Args:
        weights: `efficientnet-lite0-*.pth`.
        head: weights of the document head.

    Returns:
        image UINT8 [N, 224, 224, 3] RGB -> logits [N, 1000], embedding [N, 1280], kinds [N, 4].

    Raises:
        WeightsUnreadable: the bytes are no state dict of this architecture, or no head.
    """
    kinds = linear_head.read(head)
    parameters = read_state_dict(weights)
    graph = GraphBuilder()
    try:
        feature = _features(graph, _Trunk(graph, parameters))
        _classify(graph, feature, parameters)
        linear_head.add(graph, "embedding", kinds, output="kinds")
    except KeyError as error:
        raise WeightsUnreadable(f"no EfficientNet-Lite0: parameter {error} is missing", field="weights") from error
    return graph.finish(
        "efficientnet_lite0",
        {"image": ("UINT8", (SIDE, SIDE, 3))},
        {
            "logits": ("FP32", (1000,)),
            "embedding": ("FP32", (feature.channels,)),
            "kinds": ("FP32", (kinds[1].size,)),
        },
    )


def _features(graph: GraphBuilder, trunk: _Trunk) -> _Feature:
    planes = graph.picture_to_planes("image")
    centred = graph.node("Mul", graph.node("Sub", planes, graph.floats(_MEAN)), graph.floats(_SCALE))
    feature = trunk.convolution(_Feature(centred, 3, SIDE), "_conv_stem", "_bn0", stride=2)
    index = 0
    for stage in _STAGES:
        for repeat in range(stage.repeats):
            feature = trunk.block(feature, index, stage, stage.stride if repeat == 0 else 1)
            index += 1
    return trunk.convolution(feature, "_conv_head", "_bn1")


def _classify(graph: GraphBuilder, feature: _Feature, parameters: dict[str, NDArray[np.generic]]) -> None:
    pooled = graph.node("GlobalAveragePool", feature.name)
    embedding = graph.node("Flatten", pooled, output="embedding", axis=1)
    weight, bias = graph.constant(parameters["_fc.weight"]), graph.constant(parameters["_fc.bias"])
    graph.node("Gemm", embedding, weight, bias, output="logits", transB=1)
