"""Command `python -m deploy.cells`: simulates many persons in cells; JSON on standard output, a table beside it."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.cells.assumptions import Assumptions, Persons, Prices
from deploy.cells.simulation import Findings, Plan, simulate

_DEFAULT, _PERSONS, _PRICES = Plan(), Persons(), Prices()


def main(
    persons: Annotated[int, typer.Option(min=1, help="How many there are.")] = _DEFAULT.persons,
    cell: Annotated[int, typer.Option(min=1, help="Persons of a cell.")] = _DEFAULT.cell,
    add: Annotated[int, typer.Option(min=1, help="Cells that are added in the end.")] = _DEFAULT.added,
    seed: Annotated[int, typer.Option(help="Of what is drawn by chance.")] = _DEFAULT.seed,
    photos_a_day: Annotated[float, typer.Option(min=0.01, help="Of a person, on average.")] = _PERSONS.photos_a_day,
    core_price: Annotated[float, typer.Option(min=0, help="Of a core and month.")] = _PRICES.core,
    object_price: Annotated[float, typer.Option(min=0, help="Of a gigabyte of objects.")] = _PRICES.object_gigabyte,
    database_price: Annotated[float, typer.Option(min=0, help="Of one of a database.")] = _PRICES.database_gigabyte,
    base_price: Annotated[float, typer.Option(min=0, help="Of a cell, however few are in it.")] = _PRICES.base,
) -> None:
    """Simulate persons in cells. Ten million take about ten seconds of one core."""
    prices = Prices(core_price, object_price, database_price, _PRICES.million_puts, base_price)
    assumptions = Assumptions(persons=Persons(photos_a_day=photos_a_day), prices=prices)
    findings = simulate(Plan(persons, cell, add, seed), assumptions)
    sys.stdout.write(json.dumps({"assumptions": asdict(assumptions), **asdict(findings)}, indent=2) + "\n")
    Console(stderr=True).print(_table(findings))


def _table(findings: Findings) -> Table:
    table = Table("of the cell with most photos", "", title=f"{findings.plan.cells} cells")
    for name, value in _rows(findings):
        table.add_row(name, value)
    return table


def _rows(findings: Findings) -> Iterator[tuple[str, str]]:
    for name, value in asdict(findings.largest).items():
        yield name.replace("_", " "), f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"
    yield "cost of a person and month", f"{findings.costs['person']:.3f}"
    yield "share of all persons, if it is lost", f"{findings.loss.share_of_persons:.2%}"
    moved = findings.rebalancing
    yield f"persons who move to {moved.added} new cells", f"{moved.moved:,}, in {moved.hours:,.0f} h ({moved.held_by})"
    for limit in findings.limits:
        yield limit.name, f"{limit.used:.2f}" + (f", {limit.persons:,} persons" if limit.persons else "")


if __name__ == "__main__":
    typer.run(main)
