"""Commands that keep a copy of a stack and bring it back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.backup.manifest import Manifest
from deploy.local.backup.restore import restore_backup
from deploy.local.backup.take import take_backup
from deploy.local.home import default_home
from services.chassis.clock import SystemClock
from services.cli.options import Json
from services.cli.output import emit, failures, note, say
from services.cli.stack.failures import stack_failures

_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the backup.")]


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    group = typer.Typer(no_args_is_help=True, help="Copies of the stack's databases and objects.")
    group.command("take")(take)
    group.command("restore")(restore)
    app.add_typer(group, name="backup")


def take(folder: _Folder, as_json: Json = False) -> None:
    """Copy the databases and objects of the running stack into a new folder: no key, no epoch, not the journal."""
    with failures(as_json=as_json), stack_failures():
        manifest = take_backup(default_home(), folder.absolute(), SystemClock().now(), note)
        _print("backed up to", folder, manifest, as_json=as_json)


def restore(
    folder: _Folder,
    replace: Annotated[bool, typer.Option("--replace", help="Delete the data that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of a stopped stack's data. What was destroyed since stays so."""
    with failures(as_json=as_json), stack_failures():
        manifest = asyncio.run(restore_backup(default_home(), folder.absolute(), note, replace=replace))
        _print("restored from", folder, manifest, as_json=as_json)


def _print(what: str, folder: Path, manifest: Manifest, *, as_json: bool) -> None:
    if as_json:
        emit({"folder": str(folder), "time": manifest.time, "files": len(manifest.files)})
    else:
        say(f"{what} {folder}: {len(manifest.files)} files of {manifest.time}")
