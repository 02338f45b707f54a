"""The key of an engine: two engines are the same if, and only if, everything that matters to them is."""

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from inference.engines.profiles import Batch
from inference.engines.targets import Target
from inference.model_build.manifest import Digest, Name

_DIGITS: Final = 12
KEY: Final = re.compile(
    r"^(?P<model>[a-z][a-z0-9_]*)/(?P<tag>[A-Za-z0-9._-]+)-trt(?P<tensorrt>\d+(\.\d+){2,3})-sm(?P<sm>\d+)"
    r"-(?P<precision>fp16|fp32)-(?P<digest>[0-9a-f]{12})$"
)


class Precision(StrEnum):
    """What a graph computes in, where it may."""

    FP16 = "fp16"
    FP32 = "fp32"


class KeyParts(BaseModel):
    """What an engine depends on.

    Attributes:
        model: the served model.
        onnx_sha256: of the typed graph that the plan was built from.
        precision: of that graph.
        batch: the profile's batch sizes.
        shapes: the profile's sizes for inputs that are free in the graph.
        target: the image, TensorRT and GPU.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Name
    onnx_sha256: Digest
    precision: Precision
    batch: Batch
    shapes: Mapping[str, tuple[int, ...]] = Field(default_factory=dict)
    target: Target

    @property
    def key(self) -> str:
        """`<model>/<triton tag>-trt<version>-sm<NN>-<precision>-<12 hex>`; safe as a path and as an object name."""
        to = self.target
        return f"{self.model}/{to.triton_tag}-trt{to.tensorrt}-sm{to.sm}-{self.precision}-{self.digest}"

    @property
    def digest(self) -> str:
        """The first 12 hex digits of SHA-256 over all parts as canonical JSON."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
