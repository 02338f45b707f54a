"""Face recognition network of dlib (a ResNet of 29 layers) as an ONNX graph.

Its residual blocks add channels by padding with zeros, and sides that differ by one are padded at the end,
as dlib's `add_prev` does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx

from inference.model_build.conversion.dlib_archive import Affine, Convolution, Dense, Layer, read_layers
from inference.model_build.conversion.graph import GraphBuilder
from inference.model_build.errors import WeightsUnreadable

SIDE: Final = 150
DESCRIPTOR: Final = 128
_MEAN_RGB: Final = (122.782, 117.001, 104.298)
_SCALE: Final = 1 / 256
_SIDE_AFTER_STEM: Final = 35


@dataclass(frozen=True)
class _Group:
    """Residual blocks of one width; the first halves the picture when `shrinks` says so."""

    channels: int
    blocks: int
    shrinks: bool


_GROUPS: Final = (
    _Group(32, 3, shrinks=False),
    _Group(64, 4, shrinks=True),
    _Group(128, 3, shrinks=True),
    _Group(256, 3, shrinks=True),
    _Group(256, 1, shrinks=True),
)


@dataclass(frozen=True)
class _Feature:
    name: str
    channels: int
    side: int


class _Network:
    """Adds layers to a graph in the order in which the file holds them."""

    def __init__(self, graph: GraphBuilder, layers: Iterator[Layer]) -> None:
        self.graph = graph
        self._layers = layers

    def convolution(self, feature: _Feature, *, activate: bool = True) -> _Feature:
        """Add the next convolution with its affine layer folded in, and a ReLU when `activate` says so."""
        layer, affine = next(self._layers, None), next(self._layers, None)
        if not isinstance(layer, Convolution) or not isinstance(affine, Affine):
            raise WeightsUnreadable("the layers are not those of dlib's face network", field="weights")
        count = layer.filters * feature.channels * layer.kernel[0] * layer.kernel[1]
        weight = layer.values[:count].reshape(layer.filters, feature.channels, *layer.kernel)
        bias = layer.values[count:] if layer.values.size > count else np.zeros(layer.filters, np.float32)
        gain, shift = np.split(affine.values, 2)
        name = self.graph.node(
            "Conv",
            feature.name,
            self.graph.constant(weight * gain[:, None, None, None]),
            self.graph.constant(bias * gain + shift),
            kernel_shape=list(layer.kernel),
            strides=list(layer.stride),
            pads=[*layer.padding, *layer.padding],
        )
        side = (feature.side + 2 * layer.padding[0] - layer.kernel[0]) // layer.stride[0] + 1
        name = self.graph.node("Relu", name) if activate else name
        return _Feature(name, layer.filters, side)

    def block(self, feature: _Feature, *, shrinks: bool) -> _Feature:
        """Add a residual block: two convolutions, and the way around them."""
        inner = self.convolution(self.convolution(feature), activate=False)
        around = self._halve(feature) if shrinks else feature
        side, channels = max(inner.side, around.side), max(inner.channels, around.channels)
        total = self.graph.node("Add", self._pad(inner, channels, side), self._pad(around, channels, side))
        return _Feature(self.graph.node("Relu", total), channels, side)

    def dense(self, feature: _Feature) -> str:
        """Add the last layer on the averaged features: the descriptor."""
        layer = next(self._layers, None)
        if not isinstance(layer, Dense) or layer.outputs != DESCRIPTOR:
            raise WeightsUnreadable("the last layer is not a descriptor of 128 numbers", field="weights")
        weight = layer.values[: feature.channels * DESCRIPTOR].reshape(feature.channels, DESCRIPTOR)
        flat = self.graph.node("Flatten", self.graph.node("GlobalAveragePool", feature.name), axis=1)
        return self.graph.node("MatMul", flat, self.graph.constant(weight), output="descriptor")

    def _halve(self, feature: _Feature) -> _Feature:
        name = self.graph.node("AveragePool", feature.name, kernel_shape=[2, 2], strides=[2, 2])
        return _Feature(name, feature.channels, feature.side // 2)

    def _pad(self, feature: _Feature, channels: int, side: int) -> str:
        more, longer = channels - feature.channels, side - feature.side
        if not more and not longer:
            return feature.name
        pads = self.graph.integers(0, 0, 0, 0, 0, more, longer, longer)
        return self.graph.node("Pad", feature.name, pads)


def convert(weights: bytes) -> onnx.ModelProto:
    """Make the embedder's graph.

    Args:
        weights: `dlib_face_recognition_resnet_model_v1.dat`.

    Returns:
        chip UINT8 [N, 150, 150, 3] RGB -> descriptor [N, 128], to be compared by Euclidean distance.

    Raises:
        WeightsUnreadable: the layers are not those of this network.
    """
    graph = GraphBuilder()
    network = _Network(graph, read_layers(weights))
    feature = _stem(network)
    for group in _GROUPS:
        for block in range(group.blocks):
            feature = network.block(feature, shrinks=group.shrinks and block == 0)
    network.dense(feature)
    return graph.finish(
        "dlib_face_resnet",
        {"chip": ("UINT8", (SIDE, SIDE, 3))},
        {"descriptor": ("FP32", (DESCRIPTOR,))},
    )


def _stem(network: _Network) -> _Feature:
    graph = network.graph
    mean = graph.constant(np.asarray(_MEAN_RGB, np.float32).reshape(1, 3, 1, 1))
    centred = graph.node("Sub", graph.picture_to_planes("chip"), mean)
    feature = network.convolution(_Feature(graph.node("Mul", centred, graph.floats(_SCALE)), 3, SIDE))
    pooled = graph.node("MaxPool", feature.name, kernel_shape=[3, 3], strides=[2, 2])
    return _Feature(pooled, feature.channels, _SIDE_AFTER_STEM)
