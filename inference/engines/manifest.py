"""Key and the manifest of an engine: what it depends on, what it is, how it was built and proven.

Two engines are the same if, and only if, everything that matters to them is. A manifest is written last: without it,
no engine.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from pydantic import AwareDatetime, Field, ValidationError

from inference.engines.deltas import Delta
from inference.engines.documents import Document, first_fault
from inference.engines.errors import EngineDamaged
from inference.engines.profiles import Batch
from inference.engines.targets import Target
from inference.model_build.manifest import Digest, Name

MANIFEST_FILE: Final = "manifest.json"
PLAN_FILE: Final = "model.plan"
KEY: Final = re.compile(r"^[a-z][a-z0-9_]*/[A-Za-z0-9._-]+-trt\d+(\.\d+){2,3}-sm\d+-(fp16|fp32)-[0-9a-f]{12}$")
_DIGITS: Final = 12


class Precision(StrEnum):
    """What a graph computes in, where it may."""

    FP16 = "fp16"
    FP32 = "fp32"


class KeyParts(Document):
    """What an engine depends on: the served model, its typed graph, sizes by its profile, and the target."""

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


class Plan(Document):
    """The plan's bytes."""

    sha256: Digest
    size_bytes: int


class Timing(Document):
    """Latency of one batch size on the node, transfers included."""

    batch: int
    p50_ms: float
    p99_ms: float
    runs: int


class BuildTools(Document):
    """What built it."""

    trtexec: str
    gpu: str
    driver: str
    pellicule: str


class Engine(Document):
    """What `manifest.json` says.

    Attributes:
        key: names the engine; follows from `parts`.
        identity: what findings name the model by.
        commands: as they were run, in order.
        accuracy: the plan against ONNX Runtime in single precision, on the probes.
        digest: SHA-256 over all the rest: shows damage, not malice.
    """

    schema_version: Literal[1] = 1
    key: str
    identity: str
    parts: KeyParts
    plan: Plan
    commands: tuple[tuple[str, ...], ...]
    accuracy: tuple[Delta, ...]
    latencies: tuple[Timing, ...]
    tools: BuildTools
    build_time: AwareDatetime
    digest: str = ""

    def sealed(self) -> "Engine":
        """Return it with its digest."""
        return self.model_copy(update={"digest": self._digest()})

    @property
    def whole(self) -> bool:
        """Whether the digest and the key are those of what it says."""
        return self.digest == self._digest() and self.key == self.parts.key

    def _digest(self) -> str:
        content = self.model_dump(mode="json", exclude={"digest"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def parse_manifest(text: bytes, where: str, key: str | None = None) -> Engine:
    """Read a manifest.

    Args:
        text: the document.
        where: the file or object it came from, for the error.
        key: the engine that it stands for; any when it is left out.

    Raises:
        EngineDamaged: it cannot be read, was changed after it was written, or is another engine's.
    """
    try:
        engine = Engine.model_validate_json(text)
    except ValidationError as error:
        place, rule = first_fault(error)
        raise EngineDamaged(f"{where}: {place}: {rule}; build or fetch it anew", field=where) from error
    if not engine.whole:
        raise EngineDamaged(f"{where} was changed after it was written; build or fetch it anew", field=where)
    if key not in (None, engine.key):
        raise EngineDamaged(f"{where} is of {engine.key}; delete it, then build or fetch it anew", field=where)
    return engine


def read_manifest(folder: Path, key: str | None = None) -> Engine | None:
    """Read the manifest of an engine's folder; None when there is none, so that the engine is not committed.

    Raises:
        EngineDamaged: there is one, but it is not as it was written.
    """
    path = folder / MANIFEST_FILE
    return parse_manifest(path.read_bytes(), str(path), key) if path.exists() else None
