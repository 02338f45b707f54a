"""Command `bench`: the running stack measured against a limit measured in the same run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from importlib import import_module
from typing import Annotated, cast

import typer

from services.cli.output import UsageWrong, emit, failures, say

NAMES = ("upload", "analyze", "inference", "restyle", "keys")
SOAKING = "inference"
Measure = Callable[..., AsyncIterator[Mapping[str, object]]]

Soak = Annotated[
    float | None,
    typer.Option("--soak", min=0, help="Seconds of the soak of `inference` (600); 0: none.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("bench")(bench)


def bench(
    name: Annotated[
        str, typer.Argument(help=f"What to measure: {', '.join(NAMES)}.", autocompletion=lambda: list(NAMES))
    ],
    soak: Soak = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines on standard output, and nothing else.")] = False,
) -> None:
    """Measure, and print the ratio to what the machine itself can do.

    Takes a few minutes; `inference`, with its soak, twenty minutes. Ends with 0 when it could measure, whatever holds.
    """
    with failures(as_json=as_json):
        if name not in NAMES:
            raise UsageWrong("BENCH_UNKNOWN", f"there is no bench {name!r}; choose from {', '.join(NAMES)}", "name")
        if soak is not None and name != SOAKING:
            raise UsageWrong("OPTION_UNKNOWN", f"only {SOAKING!r} has a soak; leave --soak out", "soak")
        asyncio.run(_print_all(name, {} if soak is None else {"soak_seconds": soak}, as_json=as_json))


async def _print_all(name: str, options: Mapping[str, float], *, as_json: bool) -> None:
    # Imported when asked for: a bench brings in ONNX Runtime or S3 clients that no other command needs.
    measure = cast("Measure", import_module(f"services.cli.bench.{name}").measure)
    async for row in measure(**options):
        emit(row) if as_json else say(text_of(row))


def text_of(row: Mapping[str, object]) -> str:
    """Return a row for people: the ratio to the limit, then whatever else the bench tells."""
    mark = "holds" if row["holds"] else "does not hold"
    goal = f"at most {row['goal']}" if row.get("at_most") else f"goal {row['goal']}"
    more = ", ".join(f"{name} {value}" for name, value in row.items() if name not in _SAID)
    about = f" {row['what']}" if "what" in row else ""
    line = f"{row['name']}:{about} {_number(row['value'])} {row['unit']} of {_number(row['limit'])}"
    return f"{line}, ratio {_number(row['ratio'])} ({goal}: {mark})" + (f" [{more}]" if more else "")


_SAID = frozenset({"name", "value", "unit", "limit", "ratio", "goal", "holds", "at_most", "what"})


def _number(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
