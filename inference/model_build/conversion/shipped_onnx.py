"""Network that already is what it should be: its file is checked and passed on."""

import onnx
from google.protobuf.message import DecodeError
from onnx.checker import ValidationError

from inference.model_build.errors import WeightsUnreadable


def convert(weights: bytes) -> onnx.ModelProto:
    """Read a network of our own, or one that an operator put into a slot.

    Args:
        weights: an ONNX file, whole: what lies in other files is not read.

    Raises:
        WeightsUnreadable: the bytes are no valid network.
    """
    try:
        model = onnx.load_model_from_string(weights)
        onnx.checker.check_model(model)
    except (DecodeError, ValidationError) as error:
        raise WeightsUnreadable(f"not a valid ONNX file: {error}", field="weights") from error
    return model
