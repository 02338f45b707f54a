"""Builder of engines on the node that serves them: built, proven there, and committed.

An engine lies in `<home>/plans/<key>/`: `model.plan`, and `manifest.json`, which is written last. It is built in a
folder of its own and appears there by one rename; whatever fails or is killed before leaves nothing behind.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from inference.engines.committed import plan_folder, verify
from inference.engines.deltas import Delta, Tensors, deltas
from inference.engines.errors import AccuracyLost, BuildFailed
from inference.engines.exports import Export
from inference.engines.manifest import MANIFEST_FILE, PLAN_FILE, BuildTools, Engine, KeyParts, Plan, read_manifest
from inference.engines.node import Node
from inference.engines.probes import Probe
from inference.engines.process import HEARTBEAT_SECONDS, run
from inference.engines.trtexec import ANSWER_FILE, CACHE_FILE, ONNX_FILE, Command, read_tensors, read_timings
from inference.folders import alone, file_digest, move_into_place, scratch_folder

BUILD_SECONDS: Final = 3600.0
_RUN_SECONDS: Final = 300.0


class Clock(Protocol):
    """What the engines may know about time."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""


class Stage(StrEnum):
    """What is being done to an engine."""

    READ = "read graph"
    TUNE = "time kernels"
    PROBE = "run probes"
    MEASURE = "measure"
    BUILT = "built"
    PRESENT = "present"


# What trtexec says when it gets further; the rest of its lines say nothing about progress.
_SIGNS: Final = (("Start parsing network model", Stage.READ), ("timing cache in use", Stage.TUNE))


@dataclass(frozen=True)
class Progress:
    """A sign of life: the engine, what is being done, and for how many seconds already."""

    key: str
    stage: Stage
    seconds: float


@dataclass(frozen=True)
class Builder:
    """Builder of engines on one node.

    Attributes:
        report: told of each step, and every few seconds in between.
        timeout: the longest that one plan may take, in seconds.
        heartbeat: seconds of silence after which `report` is told again.
    """

    node: Node
    home: Path
    clock: Clock
    report: Callable[[Progress], None] = lambda _: None
    timeout: float = BUILD_SECONDS
    heartbeat: float = HEARTBEAT_SECONDS

    def build(self, export: Export) -> Engine:
        """Make an engine lie ready and proven, and return its manifest; one that is committed is left alone.

        Raises:
            BuildFailed: TensorRT could not build or run it, or took too long.
            AccuracyLost: its outputs are too far off; nothing was committed.
        """
        key = export.parts(self.node.target).key
        folder = plan_folder(self.home, key)
        with alone(self.home):
            if read_manifest(folder) is not None:
                self.report(Progress(key, Stage.PRESENT, 0.0))
                return verify(self.home, key)
            with scratch_folder(self.home) as scratch, scratch_folder(self.home) as made:
                engine = _Work(self, export, scratch).make()
                (scratch / PLAN_FILE).rename(made / PLAN_FILE)
                (made / MANIFEST_FILE).write_text(engine.model_dump_json(indent=2) + "\n", "utf-8")
                move_into_place(made, folder)
        self.report(Progress(key, Stage.BUILT, 0.0))
        return engine

    def prove(self, export: Export, plan: Path) -> tuple[Delta, ...]:
        """Run the probes through a plan again.

        Raises:
            BuildFailed: TensorRT could not run it.
            AccuracyLost: its outputs are too far off.
        """
        with alone(self.home), scratch_folder(self.home) as scratch:
            (scratch / PLAN_FILE).symlink_to(plan.resolve())
            return _Work(self, export, scratch).compare()


class _Work:
    """One plan in work, in a folder of its own."""

    def __init__(self, builder: Builder, export: Export, scratch: Path) -> None:
        self._builder, self._export, self._scratch = builder, export, scratch
        self._trtexec, self._inputs = builder.node.trtexec, export.record.inputs
        self._parts = export.parts(builder.node.target)

    def make(self) -> Engine:
        building, node = self._trtexec.build(self._parts, self._inputs), self._builder.node
        measuring = self._trtexec.measure(self._parts, self._inputs)
        self._tune(building)
        accuracy = self.compare()
        for command in measuring:
            self._run(command, Stage.MEASURE)
        plan = self._scratch / PLAN_FILE
        return Engine(
            key=self._parts.key,
            identity=self._export.record.identity,
            parts=self._parts,
            plan=Plan(sha256=file_digest(plan), size_bytes=plan.stat().st_size),
            commands=(building, *measuring),
            accuracy=accuracy,
            latencies=read_timings(self._scratch, self._parts),
            tools=BuildTools(
                trtexec=node.target.tensorrt, gpu=node.gpu, driver=node.driver, pellicule=version("pellicule")
            ),
            build_time=self._builder.clock.now(),
        ).sealed()

    def compare(self) -> tuple[Delta, ...]:
        probes, right = self._export.probes()
        outputs: list[Tensors] = []
        for start in range(0, len(probes), self._parts.batch.most):
            outputs += self._outputs(probes[start : start + self._parts.batch.most])
        measured = deltas(self._export.record.profile.limits, [probe.name for probe in probes], outputs, right)
        lost = [delta for delta in measured if not delta.holds]
        if lost:
            raise AccuracyLost(_loss(self._parts, lost), field=self._parts.model)
        return measured

    def _tune(self, command: Command) -> None:
        """Build the plan; timings of kernels, which hold for one capability and one TensorRT, are taken and kept."""
        target, used = self._parts.target, self._scratch / CACHE_FILE
        kept = self._builder.home / "timing" / f"sm{target.sm}-trt{target.tensorrt}.cache"
        kept.parent.mkdir(exist_ok=True)
        if kept.exists():
            shutil.copyfile(kept, used)
        (self._scratch / ONNX_FILE).symlink_to(self._export.onnx.resolve())
        self._run(command, Stage.READ, self._builder.timeout)
        plan = self._scratch / PLAN_FILE
        if not plan.exists() or not plan.stat().st_size:
            raise BuildFailed(f"{self._parts.key}: trtexec ended well but wrote no plan", field=self._parts.model)
        if used.exists():
            used.rename(kept)

    def _outputs(self, probes: Sequence[Probe]) -> list[Tensors]:
        for name in self._inputs:
            np.concatenate([probe.inputs[name] for probe in probes]).tofile(self._scratch / f"{name}.bin")
        self._run(self._trtexec.probe(self._inputs, len(probes)), Stage.PROBE)
        found = read_tensors(self._scratch / ANSWER_FILE)
        return [{name: array[[row]] for name, array in found.items()} for row in range(len(probes))]

    def _run(self, command: Command, stage: Stage, timeout: float = _RUN_SECONDS) -> None:
        builder, current = self._builder, stage
        started = builder.clock.monotonic()

        def on_line(line: str) -> None:
            nonlocal current
            further = next((sign for words, sign in _SIGNS if words in line), current)
            if further is not current or not line:
                current = further
                builder.report(Progress(self._parts.key, current, builder.clock.monotonic() - started))

        builder.report(Progress(self._parts.key, stage, 0.0))
        run(command, self._scratch, timeout=timeout, on_line=on_line, heartbeat=builder.heartbeat)


def _loss(parts: KeyParts, lost: Sequence[Delta]) -> str:
    said = ", ".join(f"{each.output}: {each.metric} {each.value:.4g} > {each.most:g} ({each.probe})" for each in lost)
    return (
        f"the outputs of {parts.key} are too far from ONNX Runtime's: {said}; nothing was committed. "
        "Set half = false for the model in profiles.toml, or look at what the GPU computes"
    )
