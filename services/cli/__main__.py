"""Command `pellicule`.

Each group of commands is in a module of its own, and only the one that is asked for is loaded: what the
services' stubs need takes longer to load than `pellicule status` takes to answer.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Annotated

import typer
from typer.exceptions import TyperException

from services.cli.exit_status import ExitStatus, table
from services.cli.flags import without_flag_types
from services.cli.output import Interrupted, UsageWrong, fail, say

PROGRAM = "pellicule"

GROUPS: Mapping[str, Sequence[str]] = {
    "services.cli.stack.commands": ("up", "down", "status"),
    "services.cli.stack.backup": ("backup",),
    "services.cli.stack.journal": ("journal",),
    "services.cli.photos.commands": ("import", "findings", "search", "mark"),
    "services.cli.ideas.commands": ("ideas", "dismiss", "restore"),
    "services.cli.consent.commands": ("withdraw", "consent"),
    "services.cli.account.commands": ("usage", "uploads", "devices", "erase"),
    "services.cli.stack.token": ("token",),
    "services.cli.failed_work.commands": ("dead-letters",),
    "services.cli.models.commands": ("models",),
    "services.cli.models.engines": ("engines",),
    "services.cli.bench.commands": ("bench",),
    "services.cli.restyle.commands": ("restyle",),
}
_COMPLETING = f"_{PROGRAM.upper()}_COMPLETE"


def application(first: str = "") -> typer.Typer:
    """Return the command: with the group of its first word alone, or else with all of them."""
    app = typer.Typer(
        name=PROGRAM,
        help="A self-hosted back end for camera-roll ideas.",
        epilog=table(),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for group in _wanted(first):
        importlib.import_module(group).register(app)
    without_flag_types(app)
    return app


def main() -> None:
    """Run the command, and end the process with its status."""
    as_json = "--json" in sys.argv
    try:
        app = _completed() or application(next(iter(sys.argv[1:]), ""))
        sys.exit(_run_for_a_script(app) if as_json else app(prog_name=PROGRAM))
    except KeyboardInterrupt:
        fail(Interrupted(), as_json=as_json)


def _run_for_a_script(app: typer.Typer) -> int:
    """Run the command; a wrong use of it is one JSON line too, instead of a panel. Return the exit status."""
    try:
        return int(app(prog_name=PROGRAM, standalone_mode=False) or ExitStatus.DONE)
    except TyperException as error:
        field = getattr(getattr(error, "param", None), "name", "")
        fail(UsageWrong("USAGE", error.format_message(), field or ""), as_json=True)


def _wanted(first: str) -> Iterator[str]:
    """Yield the groups that the first word needs; an option of the program itself needs none."""
    known = [group for group, names in GROUPS.items() if first in names]
    if known or (first.startswith("-") and first != "--help"):
        yield from known
    else:
        yield from GROUPS


def _completed() -> typer.Typer | None:
    """Return the command as far as a shell needs it to complete a line; None when no shell asks.

    While the first word is written, names are enough: a shell that waits a second for them is in the way.
    """
    if _COMPLETING not in os.environ:
        return None
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = line.split()[1:]
    if words and words[0] in _names():
        return application(words[0])
    app = application("-")
    for name in _names():
        app.command(name)(lambda: None)
    return app


def _names() -> Sequence[str]:
    return [name for names in GROUPS.values() for name in names]


def _print_version(asked: bool) -> None:
    if asked:
        say(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options of the program itself; with them alone, a single command is a subcommand too."""


if __name__ == "__main__":
    main()
