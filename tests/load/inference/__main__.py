"""`python -m tests.load.inference SCENARIO`: tries a server, and leaves JSON and a picture."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from inference.load.reports import Report
from inference.load.requests import described
from inference.load.results import write_result
from inference.load.scenarios import SHIPPED, Scenarios, TargetName, read_scenarios
from services.chassis.clock import SystemClock
from tests.load.inference.harness import NAMES, Site, run
from tests.load.inference.own_server import OwnServer, own_server
from tests.load.inference.picture import draw

ALL = "all"

console = Console(stderr=True)


def main(
    scenario: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}, or {ALL}.")],
    model: Annotated[list[str], typer.Option(help="What is asked; may be given more than once.")],
    out: Annotated[Path, typer.Option(help="Folder for JSON and pictures; made when it is not there.")],
    address: Annotated[str, typer.Option(help="HOST:PORT of a server's gRPC endpoint.")] = "",
    local: Annotated[bool, typer.Option("--local", help="Start a server on the built models for the test.")] = False,
    target: Annotated[TargetName, typer.Option(help="The part of the scenario file for this machine.")] = "cpu",
    scenarios: Annotated[Path, typer.Option(help="The scenario file.")] = SHIPPED,
    soak_seconds: Annotated[float, typer.Option(min=0, help="Instead of those of the file.")] = 0,
    allow_remote: Annotated[bool, typer.Option("--allow-remote", help="Let the server be another machine.")] = False,
) -> None:
    """Try an inference server. Ends with status 1 if something does not hold."""
    if scenario not in (*NAMES, ALL):
        raise typer.BadParameter(f"choose from {', '.join((*NAMES, ALL))}", param_hint="SCENARIO")
    if local == bool(address):
        raise typer.BadParameter("give either --local or --address HOST:PORT", param_hint="--address")
    if address and not allow_remote and not is_this_machine(address):
        raise typer.BadParameter(
            "is not this machine; if it is yours to load, add --allow-remote", param_hint="--address"
        )
    plan = _with_soak(read_scenarios(scenarios), soak_seconds)
    out.mkdir(parents=True, exist_ok=True)
    names = NAMES if scenario == ALL else (scenario,)
    holds = asyncio.run(_run_all(names, model, plan, target, address, out))
    raise typer.Exit(0 if holds else 1)


def is_this_machine(address: str) -> bool:
    """Whether every address that a HOST:PORT stands for is a loopback address."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(each).is_loopback for each in found)


def _with_soak(scenarios: Scenarios, seconds: float) -> Scenarios:
    if not seconds:
        return scenarios
    return scenarios.model_copy(update={"soak": scenarios.soak.model_copy(update={"seconds": seconds})})


async def _run_all(
    names: tuple[str, ...], models: list[str], scenarios: Scenarios, target: TargetName, address: str, out: Path
) -> bool:
    holds = True
    with console.status("starting") as status:
        async with _server(address) as (place, own):

            def begin(name: str, seconds: float) -> None:
                status.update(f"{name}, {seconds:.0f} s")

            site = Site(place, scenarios, target, SystemClock(), begin, out, own)
            server = await described(place)
            for name in names:
                for model in models:
                    when = datetime.now(UTC)
                    for report in await run(name, model, site):
                        _keep(report, site, server, when)
                        holds = holds and report.holds
    return holds


@asynccontextmanager
async def _server(address: str) -> AsyncIterator[tuple[str, OwnServer | None]]:
    if address:
        yield address, None
        return
    with TemporaryDirectory(prefix="pellicule-load-") as folder:
        async with own_server(Path(folder)) as own:
            yield own.address, own


def _keep(report: Report, site: Site, server: Mapping[str, str], when: datetime) -> None:
    """Write the report down, and show it."""
    stem = f"{report.scenario}-{report.model}".replace(" ", "-")
    write_result(
        report, site.folder / f"{stem}.json", scenarios=site.scenarios, target=site.target, server=server, when=when
    )
    draw(report, site.folder / f"{stem}.png")
    _show(report)


def _show(report: Report) -> None:
    table = Table(title=f"{report.scenario}: {report.model}", title_justify="left")
    for heading in ("phase", "due/s", "answered/s", "p50 ms", "p99 ms", "max ms", "stall ms", "refused", "failed"):
        table.add_column(heading, justify="left" if heading == "phase" else "right")
    for phase in report.phases:
        found = phase.figures
        numbers = (found.offered_rate, found.rate, found.latency.p50_ms, found.latency.p99_ms, found.latency.max_ms)
        shown = [f"{number:.1f}" for number in (*numbers, found.longest_stall_ms)]
        table.add_row(phase.name, *shown, str(found.refused), str(found.failed))
    console.print(table)
    for finding in report.findings:
        mark = "holds" if finding.holds else "DOES NOT HOLD"
        console.print(f"  {finding}: {mark}", highlight=False)
    for fault, count in report.faults.items():
        console.print(f"  {count} x {fault}", markup=False, highlight=False)


if __name__ == "__main__":
    typer.run(main)
