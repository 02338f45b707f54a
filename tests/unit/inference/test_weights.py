"""Foreign weight files are parsed without trust."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from inference.model_build.conversion import (
    centerface,
    dlib_resnet,
    efficientnet_lite,
    linear_head,
    open_nsfw,
    paddle_text,
    sentence_encoder,
    shipped_onnx,
)
from inference.model_build.conversion.dlib_archive import Convolution, read_layers
from inference.model_build.conversion.graph import GraphBuilder
from inference.model_build.conversion.torch_pickle import read_state_dict
from inference.model_build.errors import WeightsUnreadable

_VALUES = np.arange(6, dtype=np.float32)


def _text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


# The pickle that PyTorch writes for {"layer.weight": a 2 x 3 tensor that is a view of storage "0"}.
_STORAGE = b"(" + _text("storage") + b"ctorch\nFloatStorage\n" + _text("0") + _text("cpu") + b"K\x06tQ"
_TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n(" + _STORAGE + b"K\x00(K\x02K\x03t(K\x03K\x01ttR"
_STATE = b"\x80\x02ccollections\nOrderedDict\n)R" + _text("layer.weight") + _TENSOR + b"s."


def _archive(state: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("net/data.pkl", state)
        archive.writestr("net/data/0", _VALUES.tobytes())
    return stream.getvalue()


def _legacy(state: bytes) -> bytes:
    header = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps("system", 2)
    return header + state + pickle.dumps(["0"], 2) + struct.pack("<q", 6) + _VALUES.tobytes()


@pytest.mark.parametrize("pack", [_archive, _legacy])
def test_both_torch_containers_are_read(pack: Callable[[bytes], bytes]) -> None:
    tensors = read_state_dict(pack(_STATE))

    assert tensors["layer.weight"].tolist() == _VALUES.reshape(2, 3).tolist()


class _Intruder:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("ran",)


def test_a_pickle_that_names_anything_else_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsUnreadable, match="which no tensor needs"):
        read_state_dict(_archive(pickle.dumps({"weight": _Intruder()})))

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("data", [b"", b"not weights", pickle.dumps([1], 2) * 4])
def test_bytes_that_are_no_state_dict_are_refused(data: bytes) -> None:
    with pytest.raises(WeightsUnreadable):
        read_state_dict(data)


def _head() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, weight=np.zeros((1280, 4)), bias=np.zeros(4))
    return stream.getvalue()


def test_a_state_dict_of_another_network_is_refused() -> None:
    with pytest.raises(WeightsUnreadable, match="no EfficientNet-Lite0"):
        efficientnet_lite.convert(_archive(_STATE), _head())


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


def _other_network() -> bytes:
    graph = GraphBuilder()
    graph.node("Relu", "x", output="y")
    network = graph.finish("other", {"x": ("FP32", (3,))}, {"y": ("FP32", (3,))})
    return bytes(network.SerializeToString())


_PUBLISHED = [
    centerface.convert,
    open_nsfw.convert,
    paddle_text.convert_detector,
    paddle_text.convert_reader,
    sentence_encoder.convert,
]


@pytest.mark.parametrize("convert", _PUBLISHED)
def test_another_onnx_network_is_refused_by_its_outputs(convert: Callable[[bytes], object]) -> None:
    with pytest.raises(WeightsUnreadable, match=r"not .*: its outputs are \['y'\]"):
        convert(_other_network())


def test_a_network_that_is_ready_is_passed_on() -> None:
    assert shipped_onnx.convert(_other_network()).graph.name == "other"


@pytest.mark.parametrize("convert", [dlib_resnet.convert, linear_head.convert, shipped_onnx.convert, *_PUBLISHED])
@pytest.mark.parametrize("data", [b"nonsense", _convolution()])
def test_weights_of_another_network_are_refused(convert: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(WeightsUnreadable):
        convert(data)
