"""Options that several commands have."""

from typing import Annotated, TypeAlias

import typer

from deploy.charts.environments import environments


def _known(name: str) -> str:
    if name not in environments():
        raise typer.BadParameter(f"{name} is none of {', '.join(environments())}")
    return name


Namespace: TypeAlias = Annotated[str, typer.Option(help="Where the charts are.")]
Release: TypeAlias = Annotated[str, typer.Option(help="One release alone; by default all in the namespace.")]
Environment: TypeAlias = Annotated[
    str, typer.Option(callback=_known, help="Whose needs the cluster shall meet: a file of deploy/environments.")
]
Context: TypeAlias = Annotated[str | None, typer.Option(help="Of the kubeconfig; by default the current one.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="JSON Lines in place of text.")]
