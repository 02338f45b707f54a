"""Builder of engines on the node that serves them: built, proven there, and committed.

An engine lies in `<home>/plans/<key>/`: `model.plan`, and `manifest.json`, which is written last. It is built in a
folder of its own and appears there by one rename; whatever fails or is killed before leaves nothing behind.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from inference.engines import commands
from inference.engines.deltas import Delta, deltas
from inference.engines.errors import AccuracyLost, BuildFailed
from inference.engines.exports import Export
from inference.engines.key import KeyParts
from inference.engines.manifest import MANIFEST_FILE, PLAN_FILE, Engine, Plan, Timing, Tools, read_manifest
from inference.engines.metrics import Tensors
from inference.engines.node import Node
from inference.engines.outputs import read_tensors, read_timing
from inference.engines.probes import Probe
from inference.engines.process import HEARTBEAT_SECONDS, Clock, run
from inference.engines.verify import check_engine
from inference.folders import alone, file_digest, scratch_folder, settle

BUILD_SECONDS: Final = 3600.0
_RUN_SECONDS: Final = 300.0


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
        node: what this machine is.
        home: the folder of engines.
        clock: gives the date, and measures stages.
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
        parts = export.parts(self.node.target)
        target = self.home / "plans" / parts.key
        with alone(self.home):
            present = read_manifest(target)
            if present is not None:
                check_engine(present, target)
                self.report(Progress(parts.key, Stage.PRESENT, 0.0))
                return present
            with scratch_folder(self.home) as scratch:
                engine = self._make(export, parts, scratch)
                settle(scratch, target)
        self.report(Progress(parts.key, Stage.BUILT, 0.0))
        return engine

    def prove(self, export: Export, plan: Path) -> tuple[Delta, ...]:
        """Run the probes through a plan again.

        Raises:
            BuildFailed: TensorRT could not run it.
            AccuracyLost: its outputs are too far off.
        """
        parts = export.parts(self.node.target)
        with alone(self.home), scratch_folder(self.home) as scratch:
            (scratch / commands.PLAN_NAME).symlink_to(plan.resolve())
            return self._compare(export, parts, scratch)

    def _make(self, export: Export, parts: KeyParts, scratch: Path) -> Engine:
        (scratch / commands.ONNX_NAME).symlink_to(export.onnx.resolve())
        building, *measuring = self._commands(export, parts)
        self._tune(building, parts, scratch)
        accuracy = self._compare(export, parts, scratch)
        for command in measuring:
            self._run(command, parts, scratch, Stage.MEASURE, _RUN_SECONDS)
        engine = self._manifest(export, parts, scratch, accuracy)
        for path in scratch.iterdir():
            if path.name != PLAN_FILE:
                path.unlink()
        (scratch / MANIFEST_FILE).write_text(engine.model_dump_json(indent=2) + "\n", "utf-8")
        return engine

    def _commands(self, export: Export, parts: KeyParts) -> list[commands.Command]:
        inputs = export.record.inputs
        return [self.node.trtexec.build(parts, inputs), *self.node.trtexec.measure(parts, inputs)]

    def _tune(self, command: commands.Command, parts: KeyParts, scratch: Path) -> None:
        cache = self.home / "timing" / commands.timing_cache_name(parts.target)
        if cache.exists():
            shutil.copyfile(cache, scratch / commands.CACHE_NAME)
        self._run(command, parts, scratch, Stage.READ, self.timeout)
        plan = scratch / commands.PLAN_NAME
        if not plan.exists() or not plan.stat().st_size:
            raise BuildFailed(f"{parts.key}: trtexec ended well but wrote no plan", field=parts.model)
        if (scratch / commands.CACHE_NAME).exists():
            cache.parent.mkdir(exist_ok=True)
            (scratch / commands.CACHE_NAME).rename(cache)

    def _compare(self, export: Export, parts: KeyParts, scratch: Path) -> tuple[Delta, ...]:
        probes, right = export.probes()
        outputs: list[Tensors] = []
        for start in range(0, len(probes), parts.batch.most):
            outputs += self._outputs(export, parts, probes[start : start + parts.batch.most], scratch)
        measured = deltas(export.record.profile.limits, probes, outputs, right)
        lost = [delta for delta in measured if not delta.holds]
        if lost:
            raise AccuracyLost(_loss(parts, lost), field=parts.model)
        return measured

    def _outputs(self, export: Export, parts: KeyParts, probes: Sequence[Probe], scratch: Path) -> list[Tensors]:
        for name in export.record.inputs:
            np.concatenate([probe.inputs[name] for probe in probes]).tofile(scratch / f"{name}.bin")
        command = self.node.trtexec.probe(export.record.inputs, len(probes))
        self._run(command, parts, scratch, Stage.PROBE, _RUN_SECONDS)
        found = read_tensors(scratch / commands.ANSWER_NAME)
        return [{name: array[[row]] for name, array in found.items()} for row in range(len(probes))]

    def _run(self, command: commands.Command, parts: KeyParts, scratch: Path, stage: Stage, timeout: float) -> None:
        started, current = self.clock.monotonic(), stage

        def on_line(line: str) -> None:
            nonlocal current
            further = next((sign for words, sign in _SIGNS if words in line), current)
            if further is not current or not line:
                current = further
                self.report(Progress(parts.key, current, self.clock.monotonic() - started))

        self.report(Progress(parts.key, stage, 0.0))
        run(command, scratch, timeout=timeout, on_line=on_line, heartbeat=self.heartbeat)

    def _manifest(self, export: Export, parts: KeyParts, scratch: Path, accuracy: tuple[Delta, ...]) -> Engine:
        node, plan = self.node, scratch / commands.PLAN_NAME
        return Engine(
            key=parts.key,
            identity=export.record.identity,
            parts=parts,
            plan=Plan(sha256=file_digest(plan), size_bytes=plan.stat().st_size),
            commands=tuple(self._commands(export, parts)),
            accuracy=accuracy,
            latencies=tuple(_timing(scratch, batch) for batch in commands.batches(parts)),
            tools=Tools(trtexec=node.target.tensorrt, gpu=node.gpu, driver=node.driver, pellicule=version("pellicule")),
            build_time=self.clock.now(),
        ).sealed()


def _timing(scratch: Path, batch: int) -> Timing:
    return read_timing(scratch / commands.TIMES_NAME.format(batch=batch), batch, commands.WARM_UP_MILLISECONDS)


def _loss(parts: KeyParts, lost: Sequence[Delta]) -> str:
    said = ", ".join(f"{each.output}: {each.metric} {each.value:.4g} > {each.most:g} ({each.probe})" for each in lost)
    return (
        f"the outputs of {parts.key} are too far from ONNX Runtime's: {said}; nothing was committed. "
        "Set half = false for the model in profiles.toml, or look at what the GPU computes"
    )
