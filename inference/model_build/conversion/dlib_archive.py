"""Reader of dlib's own serialisation: the layers of its face recognition network.

A layer that is added on top serialises the network below it first, so the details of the layers stand in the
file in forward order: scanning for the tags `con_`, `affine_` and `fc_` yields every layer with parameters.
Integers are dlib's: a control byte (low nibble: length, high bit: sign), then little-endian bytes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.model_build.errors import WeightsUnreadable

_TENSOR_VERSION: Final = 2
# A serialised string is the integer 1, its length in one byte, and its characters.
_TAG: Final = re.compile(rb"\x01[\x04-\x0c](con_\d|affine_|fc_\d)")


@dataclass(frozen=True)
class Convolution:
    """A convolution: filters of one size, and a bias when the file has one."""

    values: NDArray[np.float32]  # [filters x channels x rows x columns] and then [filters]
    filters: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True)
class Affine:
    """What is left of a batch normalisation: a gain for each channel, then a bias for each."""

    values: NDArray[np.float32]


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: [inputs x outputs]."""

    values: NDArray[np.float32]
    outputs: int


Layer = Convolution | Affine | Dense


class _Reader:
    """Reads dlib's integers and tensors from a position on."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position

    def integer(self) -> int:
        control = self._data[self._position]
        start, end = self._position + 1, self._position + 1 + (control & 0x0F)
        self._position = end
        value = int.from_bytes(self._data[start:end], "little")
        return -value if control & 0x80 else value

    def integers(self, count: int) -> tuple[int, ...]:
        return tuple(self.integer() for _ in range(count))

    def tensor(self) -> NDArray[np.float32]:
        if self.integer() != _TENSOR_VERSION:
            raise WeightsUnreadable("a tensor of an unknown version", field="weights")
        count = int(np.prod(self.integers(4)))
        values = np.frombuffer(self._data, "<f4", count, self._position)
        self._position += 4 * count
        return values


def read_layers(data: bytes) -> Iterator[Layer]:
    """Yield the layers with parameters, in forward order.

    Args:
        data: `dlib_face_recognition_resnet_model_v1.dat`.

    Raises:
        WeightsUnreadable: a layer is cut short or of another version.
    """
    for found in _TAG.finditer(data):
        tag = found.group(1)
        if found.group()[1] == len(tag):
            yield _read_layer(tag, _Reader(data, found.end()))


def _read_layer(tag: bytes, reader: _Reader) -> Layer:
    try:
        if tag.startswith(b"con_"):
            return _read_convolution(reader)
        if tag.startswith(b"affine_"):
            return Affine(reader.tensor())
        outputs, _ = reader.integers(2)
        return Dense(reader.tensor(), outputs)
    except (IndexError, ValueError) as error:
        raise WeightsUnreadable(f"layer {tag.decode()} is cut short: {error}", field="weights") from error


def _read_convolution(reader: _Reader) -> Convolution:
    values = reader.tensor()
    filters, rows, columns, stride_y, stride_x, padding_y, padding_x = reader.integers(7)
    return Convolution(values, filters, (rows, columns), (stride_y, stride_x), (padding_y, padding_x))
