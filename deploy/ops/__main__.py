"""Command line `pellicule-ops`: for who operates Pellicule on a cluster."""

from importlib.util import find_spec

import typer

from deploy.ops import dead_letters
from deploy.ops.doctor import doctor
from deploy.ops.drain import drain, resume
from deploy.ops.output import note
from deploy.ops.rollout.commands import rollout


def application() -> typer.Typer:
    """Return the command line with all its commands."""
    app = typer.Typer(
        no_args_is_help=True,
        help="Operate Pellicule on a cluster (KUBECONFIG).",
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)
    app.command("doctor")(doctor)
    dead_letters.register(app)
    app.command("rollout")(rollout)
    app.command("drain")(drain)
    app.command("resume")(resume)
    return app


def main() -> None:
    """Run the command line."""
    if find_spec("kubernetes") is None:
        note("pellicule-ops: KUBERNETES_MISSING: install the project with its extra `cluster`: pellicule[cluster]")
        raise SystemExit(2)
    application()(prog_name="pellicule-ops")


if __name__ == "__main__":
    main()
