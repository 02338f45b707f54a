"""Options, machine and failures that the commands about engines have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from inference.engines.node import Node, this_node
from inference.model_build.errors import ModelError
from services.cli.output import CommandFailed, failures

DEFAULT_BUCKET = "engines"

Folder = Annotated[Path | None, typer.Option("--engines", help="Where engines lie; by default in the user's cache.")]
Models = Annotated[
    Path | None, typer.Option("--models", help="Where built models lie; by default in the user's cache.")
]
Names = Annotated[list[str] | None, typer.Argument(metavar="[MODEL]...", help="Served models; by default all.")]
Keys = Annotated[list[str] | None, typer.Argument(metavar="[KEY]...", help="Engines; by default all that fit here.")]
Tag = Annotated[str | None, typer.Option("--triton-tag", help="The serving image's tag, such as 24.10-py3.")]
Device = Annotated[int, typer.Option("--device", help="The number of the GPU.")]
Bucket = Annotated[
    str, typer.Option("--bucket", envvar="PELLICULE_ENGINES_BUCKET", help="The bucket that engines are kept in.")
]


def this_engine_node(triton_tag: str | None, device: int) -> Node:
    """Ask this machine what a plan built or served here is for."""
    return this_node(triton_tag=triton_tag, device=device)


@contextmanager
def engine_failures(*, as_json: bool) -> Iterator[None]:
    """End the command with one line when an engine, a model or a file fails."""
    with failures(as_json=as_json):
        try:
            yield
        except ModelError as error:
            raise CommandFailed(error.reason, str(error), error.field) from error
