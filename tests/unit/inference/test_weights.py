"""Foreign weight files are parsed without trust."""

import collections
import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

from inference.models.conversion import centerface, dlib_resnet, efficientnet_lite, linear_head
from inference.models.conversion.dlib_archive import Convolution, read_layers
from inference.models.conversion.torch_pickle import read_state_dict
from inference.models.errors import WeightsUnreadable


class _Storage:
    def __init__(self, key: str) -> None:
        self.key = key


class _Tensor:
    """Pickles as PyTorch's tensors do."""

    def __init__(self, key: str, size: tuple[int, ...]) -> None:
        self.key, self.size = key, size


class _TorchPickler(pickle._Pickler):  # type: ignore[name-defined,misc]  # the Python one can be told what to write
    def persistent_id(self, obj: object) -> object:
        if isinstance(obj, _Storage):
            return _Persistent(obj.key)
        return None

    def save_pers(self, pid: object) -> None:
        assert isinstance(pid, _Persistent)
        self.write(pickle.MARK)
        self.save("storage")
        self.write(b"ctorch\nFloatStorage\n")
        self.save(pid.key)
        self.save("cpu")
        self.save(0)
        self.write(pickle.TUPLE + pickle.BINPERSID)

    def save(self, obj: object, save_persistent_id: bool = True) -> None:
        if not isinstance(obj, _Tensor):
            super().save(obj, save_persistent_id)
            return
        self.write(b"ctorch._utils\n_rebuild_tensor_v2\n" + pickle.MARK)
        strides = tuple(int(np.prod(obj.size[axis + 1 :])) for axis in range(len(obj.size)))
        for part in (_Storage(obj.key), 0, obj.size, strides):
            self.save(part)
        self.write(pickle.TUPLE + pickle.REDUCE)


class _Persistent:
    def __init__(self, key: str) -> None:
        self.key = key


def _pickled(value: object) -> bytes:
    stream = io.BytesIO()
    _TorchPickler(stream, protocol=2).dump(value)
    return stream.getvalue()


_VALUES = np.arange(6, dtype=np.float32)
_STATE = collections.OrderedDict([("layer.weight", _Tensor("0", (2, 3)))])


def _archive(state: object) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("net/data.pkl", _pickled(state))
        archive.writestr("net/data/0", _VALUES.tobytes())
    return stream.getvalue()


def _legacy(state: object) -> bytes:
    heads = b"".join(pickle.dumps(head, 2) for head in (0x1950A86A20F9469CFC6C, 1001, {}))
    return heads + _pickled(state) + pickle.dumps(["0"], 2) + struct.pack("<q", 6) + _VALUES.tobytes()


@pytest.mark.parametrize("pack", [_archive, _legacy])
def test_both_torch_containers_are_read(pack: collections.abc.Callable[[object], bytes]) -> None:
    tensors = read_state_dict(pack(_STATE))

    assert tensors["layer.weight"].tolist() == _VALUES.reshape(2, 3).tolist()


class _Intruder:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("ran",)


def test_a_pickle_that_names_anything_else_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsUnreadable, match="which no tensor needs"):
        read_state_dict(_archive({"weight": _Intruder()}))

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("data", [b"", b"not weights", pickle.dumps([1], 2) * 4])
def test_bytes_that_are_no_state_dict_are_refused(data: bytes) -> None:
    with pytest.raises(WeightsUnreadable):
        read_state_dict(data)


def test_a_state_dict_of_another_network_is_refused() -> None:
    with pytest.raises(WeightsUnreadable, match="no EfficientNet-Lite0"):
        efficientnet_lite.convert(_archive(_STATE))


def _integer(value: int) -> bytes:
    return bytes([1, value])


def _convolution() -> bytes:
    shape = b"".join(_integer(length) for length in (6, 1, 1, 1))
    sizes = b"".join(_integer(value) for value in (2, 1, 3, 2, 2, 0, 0))
    return b"\x01\x05con_4" + _integer(2) + shape + _VALUES.tobytes() + sizes


def test_a_dlib_layer_is_read() -> None:
    (layer,) = read_layers(b"head" + _convolution())

    assert isinstance(layer, Convolution)
    assert (layer.filters, layer.kernel, layer.stride, layer.padding) == (2, (1, 3), (2, 2), (0, 0))
    assert layer.values.tolist() == _VALUES.tolist()


def test_a_dlib_file_that_is_cut_short_is_refused() -> None:
    with pytest.raises(WeightsUnreadable, match="con_4 is cut short"):
        list(read_layers(_convolution()[:-9]))


@pytest.mark.parametrize("convert", [dlib_resnet.convert, centerface.convert, linear_head.convert])
@pytest.mark.parametrize("data", [b"nonsense", _convolution()])
def test_weights_of_another_network_are_refused(
    convert: collections.abc.Callable[[bytes], object], data: bytes
) -> None:
    with pytest.raises(WeightsUnreadable):
        convert(data)
