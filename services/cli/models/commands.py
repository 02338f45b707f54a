"""Commands about models: build, verify, list; those about slots and repositories are in modules of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress as Bars

from inference.model_build import build as building
from inference.model_build.build import BuiltModel, Progress
from inference.slots import installing
from inference.slots.filling import Filling, fillings, served_name
from services.cli.models import publishing, slots
from services.cli.models.slots import Folder, model_failures
from services.cli.options import Json
from services.cli.output import emit, failures, progress_bars, say


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    models = typer.Typer(help="The models: made out of published packages, checked, listed.", no_args_is_help=True)
    models.command("build")(build)
    models.command("verify")(verify)
    models.command("list")(list_models)
    slots.mount(models)
    publishing.mount(models)
    app.add_typer(models, name="models")


def build(
    repository: Annotated[
        Path | None, typer.Option("--from", help="Take the networks from a model repository made elsewhere.")
    ] = None,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Fetch the weights, convert and check them. What is built already is left alone."""
    home = folder or building.default_home()
    with failures(as_json=as_json), model_failures(), progress_bars() as bars:
        built = building.build_all(home, _reporter(bars, "building models"), repository=repository)
        filled = fillings(home)
    _print(built, filled, as_json=as_json)


def verify(folder: Folder = None, as_json: Json = False) -> None:
    """Check every built model again: its digest, its tensors and its golden answers; and what fills slots."""
    home = folder or building.default_home()
    with failures(as_json=as_json), model_failures(), progress_bars() as bars:
        built = building.verify_all(home, _reporter(bars, "checking models"))
        filled = {each.slot: each for each in installing.verify(home, slots.reporter(bars, "checking slots"))}
    _print(built, filled, as_json=as_json)


def list_models(folder: Folder = None, as_json: Json = False) -> None:
    """List the models with their versions, and whose model fills which slot."""
    home = folder or building.default_home()
    with failures(as_json=as_json), model_failures():
        built, filled = building.list_models(home), fillings(home)
    _print(built, filled, as_json=as_json)


def _reporter(bars: Bars, label: str) -> Callable[[Progress], None]:
    bar = bars.add_task(label, total=None)

    def report(progress: Progress) -> None:
        bars.update(
            bar,
            total=progress.total,
            completed=progress.done,
            description=f"{progress.stage.value} {progress.model}",
        )

    return report


def _print(built: Sequence[BuiltModel], filled: Mapping[str, Filling], *, as_json: bool) -> None:
    by_model = {served_name(slot): filling for slot, filling in filled.items()}
    for model in built:
        _print_model(model, by_model.pop(model.name, None), as_json=as_json)
    for filling in by_model.values():
        slots.print_filling(filling, as_json=as_json)


def _print_model(model: BuiltModel, filling: Filling | None, *, as_json: bool) -> None:
    if as_json:
        emit(
            {"name": model.name, "identity": model.identity, "key": model.key, "sha256": model.sha256,
             "size_bytes": model.size_bytes, "path": str(model.path),
             "replaced_by": None if filling is None else filling.identity}
        )  # fmt: skip
    else:
        say(f"{model.name:<18} {model.identity:<36} {model.size_bytes / 1e6:6.1f} MB  {model.path}")
    if filling is not None:
        slots.print_filling(filling, as_json=as_json)
