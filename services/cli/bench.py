"""The command `bench`: measures the running stack against a limit measured in the same run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from importlib import import_module
from typing import Annotated, cast

import typer

from services.cli.output import CommandFailed, emit, failures, say

NAMES = ("upload", "analyze", "restyle")
Measure = Callable[[], AsyncIterator[Mapping[str, object]]]


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("bench")(bench)


def bench(
    name: Annotated[str, typer.Argument(help=f"What to measure: {', '.join(NAMES)}.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines on standard output, and nothing else.")] = False,
) -> None:
    """Measure, and print the ratio to what the machine itself can do. Takes a minute or two."""
    with failures(as_json=as_json):
        if name not in NAMES:
            raise CommandFailed("BENCH_UNKNOWN", f"there is no bench {name!r}; choose from {', '.join(NAMES)}", "name")
        asyncio.run(_print_all(name, as_json=as_json))


async def _print_all(name: str, *, as_json: bool) -> None:
    # Imported when asked for: a bench brings in ONNX Runtime or S3 clients that no other command needs.
    measure = cast("Measure", import_module(f"services.cli.bench_{name}").measure)
    async for row in measure():
        if as_json:
            emit(row)
        else:
            mark = "holds" if row["holds"] else "does not hold"
            say(f"{row['name']}: {row['value']:.2f} {row['unit']} of {row['limit']:.2f},"
                f" ratio {row['ratio']:.2f} (goal {row['goal']}: {mark})")  # fmt: skip
