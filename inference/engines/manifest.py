"""The manifest of an engine: what it is, how it was built and proven. It is written last: without it, no engine."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from inference.engines.deltas import Delta
from inference.engines.errors import EngineDamaged
from inference.engines.key import KeyParts
from inference.model_build.manifest import Digest

MANIFEST_FILE: Final = "manifest.json"
PLAN_FILE: Final = "model.plan"


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Plan(_Document):
    """The plan's bytes."""

    sha256: Digest
    size_bytes: int


class Timing(_Document):
    """Latency of one batch size on the node, transfers included."""

    batch: int
    p50_ms: float
    p99_ms: float
    runs: int


class Tools(_Document):
    """What built it."""

    trtexec: str
    gpu: str
    driver: str
    pellicule: str


class Engine(_Document):
    """What `manifest.json` says.

    Attributes:
        schema_version: of this document.
        key: names the engine; follows from `parts`.
        identity: what findings name the model by.
        parts: what the engine depends on.
        plan: the plan's bytes.
        commands: as they were run, in order.
        accuracy: the plan against ONNX Runtime in single precision, on the probes.
        latencies: by batch size.
        tools: what built it.
        build_time: when.
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
    tools: Tools
    build_time: AwareDatetime
    digest: str = ""

    def sealed(self) -> "Engine":
        """Returns it with its digest."""
        return self.model_copy(update={"digest": self._digest()})

    @property
    def whole(self) -> bool:
        """Whether the digest and the key are those of what it says."""
        return self.digest == self._digest() and self.key == self.parts.key

    def _digest(self) -> str:
        content: Mapping[str, object] = self.model_dump(mode="json", exclude={"digest"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def parse_manifest(text: str | bytes, where: str) -> Engine:
    """Reads a manifest.

    Args:
        text: the document.
        where: the file or object it came from, for the error.

    Raises:
        EngineDamaged: it cannot be read, or was changed after it was written.
    """
    try:
        engine = Engine.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise EngineDamaged(f"{where}: {place}: {fault['msg']}; build or fetch it anew", field=where) from error
    if not engine.whole:
        raise EngineDamaged(f"{where} was changed after it was written; build or fetch it anew", field=where)
    return engine


def read_manifest(folder: Path) -> Engine | None:
    """Reads the manifest of an engine's folder; None when there is none, so that the engine is not committed.

    Raises:
        EngineDamaged: there is one, but it is not as it was written.
    """
    path = folder / MANIFEST_FILE
    return parse_manifest(path.read_bytes(), str(path)) if path.exists() else None
