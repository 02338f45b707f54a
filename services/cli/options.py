"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="JSON Lines on standard output, and nothing else there.")]
Subject = Annotated[str, typer.Option(help="Whose photos: the `sub` of the token.", envvar="PELLICULE_SUBJECT")]
Region = Annotated[
    str,
    typer.Option(help="Where the person is (ISO 3166, such as US-CA), declared by you.", envvar="PELLICULE_REGION"),
]
Adult = Annotated[bool, typer.Option("--adult/--age-unknown", help="Whether the person is of age, declared by you.")]
Language = Annotated[str, typer.Option(help="BCP 47, such as en or fr-CA; by default as the environment says.")]

ME = "me"
REGION = "US-CA"
