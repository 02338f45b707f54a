"""The command `pellicule`."""

import typer

from services.cli import commands, stack, token


def application() -> typer.Typer:
    """Return the command with all its subcommands."""
    app = typer.Typer(
        name="pellicule",
        help="A self-hosted back end for camera-roll ideas.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    stack.register(app)
    commands.register(app)
    token.register(app)
    return app


def main() -> None:
    """Run the command."""
    application()()


if __name__ == "__main__":
    main()
