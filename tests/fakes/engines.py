"""Committed engines that no TensorRT has built: true manifests, and plans that hold a few bytes."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from inference.engines.committed import plan_folder
from inference.engines.manifest import MANIFEST_FILE, PLAN_FILE, BuildTools, Engine, KeyParts, Plan, Precision
from inference.engines.profiles import profile
from inference.engines.targets import Target

TARGET = Target(triton_tag="24.10-py3", tensorrt="10.5.0.18", sm=90)


def commit_engines(home: Path, identities: Mapping[str, str], target: Target = TARGET) -> None:
    """Commit an engine of each served model under a home."""
    for model, identity in identities.items():
        _commit(home, model, identity, target)


def _commit(home: Path, model: str, identity: str, target: Target) -> None:
    plan = f"plan of {identity}".encode()
    parts = KeyParts(
        model=model,
        onnx_sha256=hashlib.sha256(identity.encode()).hexdigest(),
        precision=Precision.FP16,
        batch=profile(model).batch,
        shapes=profile(model).shapes,
        target=target,
    )
    engine = Engine(
        key=parts.key,
        identity=identity,
        parts=parts,
        plan=Plan(sha256=hashlib.sha256(plan).hexdigest(), size_bytes=len(plan)),
        commands=(),
        accuracy=(),
        latencies=(),
        tools=BuildTools(trtexec=target.tensorrt, gpu="none", driver="none", pellicule="0"),
        build_time=datetime(2026, 12, 1, tzinfo=UTC),
    ).sealed()
    folder = plan_folder(home, engine.key)
    folder.mkdir(parents=True)
    (folder / PLAN_FILE).write_bytes(plan)
    (folder / MANIFEST_FILE).write_text(engine.model_dump_json(), "utf-8")
