"""Reader of PyTorch state dicts into numpy, without PyTorch and without running any of the pickle's code.

Both containers are read: the zip archive of today and the legacy stream (three header pickles, the object, the
list of storage keys, then the raw storages). Only the names that tensors need are resolved; any other name in
the pickle is refused.
"""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.model_build.errors import WeightsUnreadable

_ELEMENT_TYPES: Final = {
    "FloatStorage": np.dtype(np.float32),
    "HalfStorage": np.dtype(np.float16),
    "DoubleStorage": np.dtype(np.float64),
    "LongStorage": np.dtype(np.int64),
    "IntStorage": np.dtype(np.int32),
    "ByteStorage": np.dtype(np.uint8),
    "BoolStorage": np.dtype(np.bool_),
}
_LEGACY_HEADERS: Final = 3  # magic number, protocol version, system information


@dataclass
class _Storage:
    """One flat buffer that tensors are views of; its data is read after the pickle."""

    dtype: np.dtype[np.generic]
    data: NDArray[np.generic] | None = None


@dataclass(frozen=True)
class _TensorView:
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def to_array(self) -> NDArray[np.generic]:
        data = self.storage.data
        if data is None:
            raise WeightsUnreadable("a tensor's storage is missing from the file", field="weights")
        steps = tuple(step * data.itemsize for step in self.stride)
        return np.lib.stride_tricks.as_strided(data[self.offset :], self.size, steps).copy()


def _rebuild_tensor(
    storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _TensorView:
    return _TensorView(storage, offset, tuple(size), tuple(stride))


def _rebuild_parameter(tensor: _TensorView, *_: object) -> _TensorView:
    return tensor


class _TensorUnpickler(pickle.Unpickler):
    """Resolves tensors, storages and ordered dictionaries, and nothing else."""

    def __init__(self, stream: io.BufferedIOBase, storages: dict[str, _Storage]) -> None:
        super().__init__(stream)
        self._storages = storages

    def find_class(self, module_name: str, global_name: str, /) -> object:
        known: dict[tuple[str, str], object] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        }
        if module_name == "torch" and global_name in _ELEMENT_TYPES:
            return _ELEMENT_TYPES[global_name]
        if (module_name, global_name) not in known:
            raise pickle.UnpicklingError(f"the file names {module_name}.{global_name}, which no tensor needs")
        return known[module_name, global_name]

    def persistent_load(self, pid: tuple[object, ...]) -> _Storage:
        _, dtype, key = pid[:3]
        if not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError("a storage without an element type")
        return self._storages.setdefault(str(key), _Storage(dtype))


def read_state_dict(data: bytes) -> dict[str, NDArray[np.generic]]:
    """Read the tensors of a `.pth` file.

    Args:
        data: the file's bytes.

    Returns:
        Parameter name -> array, in the file's order.

    Raises:
        WeightsUnreadable: the bytes are no state dict.
    """
    storages: dict[str, _Storage] = {}
    try:
        read = _read_archive if zipfile.is_zipfile(io.BytesIO(data)) else _read_stream
        tensors = read(data, storages)
    except (pickle.UnpicklingError, EOFError, struct.error, KeyError, ValueError) as error:
        raise WeightsUnreadable(f"not a PyTorch state dict: {error}", field="weights") from error
    return {name: view.to_array() for name, view in tensors.items() if isinstance(view, _TensorView)}


def _read_archive(data: bytes, storages: dict[str, _Storage]) -> dict[str, object]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    entry = next(name for name in archive.namelist() if name.endswith("data.pkl"))
    tensors = _load(io.BytesIO(archive.read(entry)), storages)
    for key, storage in storages.items():
        raw = archive.read(f"{entry.removesuffix('data.pkl')}data/{key}")
        storage.data = np.frombuffer(raw, storage.dtype)
    return tensors


def _read_stream(data: bytes, storages: dict[str, _Storage]) -> dict[str, object]:
    stream = io.BytesIO(data)
    for _ in range(_LEGACY_HEADERS):
        _TensorUnpickler(stream, storages).load()
    tensors = _load(stream, storages)
    for key in _TensorUnpickler(stream, storages).load():
        storage = storages[key]
        (count,) = struct.unpack("<q", stream.read(8))
        storage.data = np.frombuffer(stream.read(count * storage.dtype.itemsize), storage.dtype)
    return tensors


def _load(stream: io.BytesIO, storages: dict[str, _Storage]) -> dict[str, object]:
    tensors = _TensorUnpickler(stream, storages).load()
    if not isinstance(tensors, dict):
        raise pickle.UnpicklingError("the file holds something else than a dictionary of tensors")
    return tensors
