"""The command `pellicule`.

Each group of commands is in a module of its own, and only the one that is asked for is loaded: what the
services' stubs need takes longer to load than `pellicule status` takes to answer.
"""

import importlib
import sys
from collections.abc import Mapping, Sequence

import typer
from typer.exceptions import TyperException

from services.cli.output import emit

USAGE_STATUS = 2

GROUPS: Mapping[str, Sequence[str]] = {
    "services.cli.stack.commands": ("up", "down", "status"),
    "services.cli.photos.commands": ("import", "findings", "search", "ideas", "erase"),
    "services.cli.consent.commands": ("consent", "withdraw"),
    "services.cli.stack.token": ("token",),
    "services.cli.models.commands": ("models",),
    "services.cli.models.engines": ("engines",),
    "services.cli.bench.commands": ("bench",),
    "services.cli.restyle.commands": ("restyle",),
}


def application(first: str = "") -> typer.Typer:
    """Return the command: with the group of the subcommand `first` alone, or else with all of them."""
    app = typer.Typer(
        name="pellicule",
        help="A self-hosted back end for camera-roll ideas.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)  # a single command is a subcommand too
    wanted = [group for group, names in GROUPS.items() if first in names]
    for group in wanted or GROUPS:
        importlib.import_module(group).register(app)
    return app


def main() -> None:
    """Run the command."""
    app = application(next(iter(sys.argv[1:]), ""))
    if "--json" in sys.argv:
        sys.exit(_run_for_a_script(app))
    app()


def _run_for_a_script(app: typer.Typer) -> int:
    """Run the command; a wrong use of it is one JSON line too, instead of a panel. Return the exit status."""
    try:
        return int(app(standalone_mode=False) or 0)
    except TyperException as error:
        field = getattr(getattr(error, "param", None), "name", "")
        emit({"error": {"reason": "USAGE", "message": error.format_message(), "field": field or ""}})
        return USAGE_STATUS


if __name__ == "__main__":
    main()
