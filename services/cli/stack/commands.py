"""Commands about the stack on this machine: up, down, status."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from deploy.local import daemon
from deploy.local.home import default_home
from deploy.local.parts.object_store import ObjectStoreChoice
from deploy.local.settings import LISTEN, OBJECT_STORE, OTLP_ENDPOINT, read_settings
from deploy.local.state import PartState, StackState
from services.cli.options import Json
from services.cli.output import UsageWrong, emit, failures, note, say
from services.cli.stack.failures import stack_failures

COLLECTOR = "127.0.0.1:4317"
"""Where a collector on this machine listens as a rule."""


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)


def up(
    listen: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Where phones reach the services: an address of this machine, or 0.0.0.0 for all."
        ),
    ] = "",
    object_store: Annotated[
        ObjectStoreChoice | None, typer.Option(help="The S3 server; a folder keeps to the one that it began with.")
    ] = None,
    observe: Annotated[
        bool,
        typer.Option("--observe", help=f"Tell an OTLP collector of everything: at ENDPOINT, or else at {COLLECTOR}."),
    ] = False,
    endpoint: Annotated[
        str, typer.Argument(help="With --observe: where the collector is, `host:port`; https:// before it for TLS.")
    ] = "",
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Start the stack under $PELLICULE_HOME, and return once every part has answered a real request."""
    with failures(as_json=as_json), stack_failures():
        home = default_home()
        if endpoint and not observe:
            raise UsageWrong("USAGE", f"{endpoint} goes with --observe", "endpoint")
        told = endpoint or COLLECTOR if observe else ""
        options = {LISTEN: listen, OBJECT_STORE: object_store, OTLP_ENDPOINT: told}
        given = {name: value for name, value in options.items() if value}
        settings = read_settings(home, os.environ, given)
        progress = _Progress()
        if foreground:
            daemon.run(home, settings, progress)
            return
        _print_parts(daemon.start(home, settings, progress), as_json=as_json)


def down(as_json: Json = False) -> None:
    """Stop the stack, or clean up after one that was killed."""
    with failures(as_json=as_json), stack_failures():
        home = default_home()
        stopped = daemon.stop(home)
        if as_json:
            emit({"stopped": stopped, "home": str(home.path)})
        else:
            say(f"stopped the stack in {home.path}" if stopped else f"no stack runs in {home.path}")


def status(as_json: Json = False) -> None:
    """Say what each part of the stack does."""
    with failures(as_json=as_json), stack_failures():
        _print_parts(daemon.running_state(default_home()), as_json=as_json)


class _Progress:
    """Prints each part once, when it is ready or says why it is not."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def __call__(self, state: StackState) -> None:
        """Print what is new."""
        for part in state.parts:
            line = _progress_line(part)
            if line and self._told.get(part.part) != line:
                self._told[part.part] = line
                note(line)


def _progress_line(part: PartState) -> str:
    if part.ready:
        return f"  {part.part:<12} ready at {part.address}{part.note and f' ({part.note})'}"
    return f"  {part.part:<12} {part.note}" if part.restarts or not part.address else ""


def _print_parts(state: StackState, *, as_json: bool) -> None:
    for part in state.parts:
        emit(_row(part)) if as_json else say(_line(part))


def _row(part: PartState) -> Mapping[str, object]:
    return {
        "part": part.part,
        "ready": part.ready,
        "pid": part.process.pid if part.process else None,
        "restarts": part.restarts,
        "address": part.address or None,
        "started_at": part.started_at or None,
        "note": part.note or None,
    }


def _line(part: PartState) -> str:
    what = "; ".join(filter(None, ("ready", part.note))) if part.ready else part.note
    pid = part.process.pid if part.process else "-"
    return f"{part.part:<12} {part.address or '-':<18} pid {pid:<8} restarts {part.restarts:<3} {what}"
