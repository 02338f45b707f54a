"""Conversion recipes: which one turns which weights into ONNX."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import onnx

from inference.model_build.code_digest import code_digest
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
from inference.model_build.manifest import Recipe

# Each takes the bytes of a model's weights, then those of its parts in the manifest's order.
RECIPES: Final[Mapping[Recipe, Callable[..., onnx.ModelProto]]] = {
    "centerface": centerface.convert,
    "dlib_resnet": dlib_resnet.convert,
    "efficientnet_lite": efficientnet_lite.convert,
    "linear_head": linear_head.convert,
    "open_nsfw": open_nsfw.convert,
    "paddle_text_detector": paddle_text.convert_detector,
    "paddle_text_reader": paddle_text.convert_reader,
    "sentence_encoder": sentence_encoder.convert,
    "shipped_onnx": shipped_onnx.convert,
}


@cache
def recipes_digest() -> str:
    """Return the SHA-256 of all the conversion code: what was built by other code is built again."""
    return code_digest(Path(__file__).parent.glob("*.py"))
