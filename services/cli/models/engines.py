"""Commands about TensorRT engines: export, plan, build, verify, publish, fetch, install."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from inference.engines.build import Builder, Progress
from inference.engines.committed import committed, plan_folder
from inference.engines.committed import verify as check
from inference.engines.exports import Export, default_home
from inference.engines.exports import export as make
from inference.engines.gpu_repository import planned_models
from inference.engines.manifest import Engine
from inference.engines.targets import DEFAULT_TAG, Target, target
from inference.engines.trtexec import Trtexec
from inference.model_build.build import default_home as default_models
from inference.model_build.manifest import shipped_model
from inference.slots.serving import served_model
from services.chassis.clock import SystemClock
from services.cli.models.engine_options import (
    Device,
    Folder,
    Keys,
    Models,
    Names,
    Tag,
    engine_failures,
    this_engine_node,
)
from services.cli.models.engine_store import fetch, install, publish
from services.cli.options import Json
from services.cli.output import emit, progress_bars, say


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    engines = typer.Typer(help="TensorRT engines: planned anywhere, built on the GPU node.", no_args_is_help=True)
    for command in (export, plan, build, verify, publish, fetch, install):
        engines.command(command.__name__)(command)
    app.add_typer(engines, name="engines")


def export(names: Names = None, folder: Folder = None, models: Models = None, as_json: Json = False) -> None:
    """Type the graphs for TensorRT: half precision where the measured deltas allow. Needs no GPU."""
    with engine_failures(as_json=as_json):
        for each in _exports(names, folder, models):
            record = each.record
            if as_json:
                emit(record.model_dump(mode="json", exclude={"profile"}) | {"path": str(each.onnx)})
            else:
                say(f"{record.model:<18} {record.precision}  {each.onnx}")
                for delta in record.deltas:
                    mark = " " if delta.holds else "!"
                    say(f"  {mark} {delta.output}: {delta.metric} {delta.value:.3g} of {delta.most:g} ({delta.probe})")


def plan(
    names: Names = None,
    gpu: Annotated[str | None, typer.Option("--gpu", help="The GPU, such as L4, A100, H200.")] = None,
    sm: Annotated[int | None, typer.Option("--sm", help="Or its compute capability: 90 for 9.0.")] = None,
    triton_tag: Tag = None,
    tensorrt: Annotated[
        str | None, typer.Option("--tensorrt", help="TensorRT in that image, where the table does not know it.")
    ] = None,
    folder: Folder = None,
    models: Models = None,
    as_json: Json = False,
) -> None:
    """Print the exact commands and the key of each engine. Needs no GPU and builds nothing."""
    with engine_failures(as_json=as_json):
        to = target(triton_tag=triton_tag or DEFAULT_TAG, tensorrt=tensorrt, sm=sm, gpu=gpu)
        for each in _exports(names, folder, models):
            parts, commands = each.parts(to), _commands(each, to)
            if as_json:
                emit({"key": parts.key, "onnx": str(each.onnx), "commands": commands})
            else:
                say(f"# {parts.key}")
                say(f"cp {shlex.quote(str(each.onnx))} model.onnx")
                for command in commands:
                    say(shlex.join(command))


def build(
    names: Names = None,
    triton_tag: Tag = None,
    device: Device = 0,
    timeout: Annotated[float, typer.Option("--timeout", help="The longest that one plan may take, in seconds.")] = 3600,
    folder: Folder = None,
    models: Models = None,
    as_json: Json = False,
) -> None:
    """Build the engines on this GPU node, prove them and commit them. What is committed is left alone."""
    with engine_failures(as_json=as_json):
        node = this_engine_node(triton_tag, device)
        with _reporter() as report:
            builder = Builder(node, folder or default_home(), SystemClock(), report, timeout)
            built = [builder.build(each) for each in _exports(names, folder, models)]
        for engine in built:
            _print(engine, as_json=as_json)


def verify(
    keys: Keys = None,
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="Check the files alone, not that they fit here.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Run the probes through each plan again.")] = False,
    triton_tag: Tag = None,
    device: Device = 0,
    folder: Folder = None,
    models: Models = None,
    as_json: Json = False,
) -> None:
    """Check committed engines: digests, limits, and that TensorRT and GPU here are those they were built for."""
    with engine_failures(as_json=as_json):
        home, node = folder or default_home(), None if anywhere else this_engine_node(triton_tag, device)
        for key in keys or committed(home):
            engine = check(home, key, node.target if node else None)
            if again and node is not None:
                (each,) = _exports([engine.parts.model], folder, models)
                with _reporter() as report:
                    Builder(node, home, SystemClock(), report).prove(each, plan_folder(home, key) / "model.plan")
            _print(engine, as_json=as_json)


def _exports(names: Sequence[str] | None, folder: Path | None, models: Path | None) -> list[Export]:
    made, home = [], models or default_models()
    for served, source in planned_models(home, names or ()).items():
        built = served_model(home, source)
        made.append(make(shipped_model(source), built, folder or default_home(), served=served))
    return made


def _commands(each: Export, target: Target) -> list[tuple[str, ...]]:
    parts, inputs, trtexec = each.parts(target), each.record.inputs, Trtexec()
    return [trtexec.build(parts, inputs), trtexec.probe(inputs, 1), *trtexec.measure(parts, inputs)]


@contextmanager
def _reporter() -> Iterator[Callable[[Progress], None]]:
    """Show one line for the engine in work, with the seconds that its stage has taken."""
    with progress_bars() as bars:
        bar = bars.add_task("engines", total=None)

        def report(progress: Progress) -> None:
            model = progress.key.partition("/")[0]
            bars.update(bar, description=f"{progress.stage.value} {model} {progress.seconds:.0f} s")

        yield report


def _print(engine: Engine, *, as_json: bool) -> None:
    if as_json:
        emit(engine.model_dump(mode="json"))
    else:
        tuned = next(each for each in engine.latencies if each.batch == engine.parts.batch.tuned)
        size = engine.plan.size_bytes / 1e6
        say(f"{engine.key}  {size:.1f} MB  batch {tuned.batch}: p50 {tuned.p50_ms} ms, p99 {tuned.p99_ms} ms")
