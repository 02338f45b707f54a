"""`python -m inference.load SCENARIO...`: puts a server to scenarios, and leaves a JSON file for each and each model.

Runs in the services' image, beside a server in a cluster; the scenarios that break a server, or look into its
processes, are those of tests/load. The status is 1 if something does not hold.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from inference.client.tls import SentInClear, TlsFiles, refuse_clear
from inference.load.reports import Report
from inference.load.requests import described
from inference.load.results import write_result
from inference.load.runs import RUNS, Site, run
from inference.load.scenarios import SHIPPED, TargetName, read_scenarios


class _MachineClock:
    """The clock of the machine."""

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def main(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help=f"Of {', '.join(RUNS)}.")],
    address: Annotated[str, typer.Option(help="HOST:PORT of the server's gRPC endpoint. It has to be yours to load.")],
    model: Annotated[list[str], typer.Option(help="What is asked; may be given more than once.")],
    out: Annotated[Path, typer.Option(help="Folder for the JSON files; made when it is not there.")],
    target: Annotated[TargetName, typer.Option(help="The part of the scenario file for the server's machine.")] = "cpu",
    ca_file: Annotated[Path | None, typer.Option(help="PEM: who vouches for the server.")] = None,
    cert_file: Annotated[Path | None, typer.Option(help="PEM: what is shown to the server.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="PEM: its key.")] = None,
    file: Annotated[Path, typer.Option(help="The scenario file.")] = SHIPPED,
) -> None:
    """Load a server's models by scenarios, one after the other."""
    unknown = sorted(set(scenarios) - RUNS.keys())
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is none of {', '.join(RUNS)}", param_hint="SCENARIO")
    tls = TlsFiles(ca_file, cert_file, key_file) if ca_file else None
    try:
        refuse_clear(address, tls)
    except SentInClear as error:
        raise typer.BadParameter(str(error), param_hint="--ca-file") from error
    out.mkdir(parents=True, exist_ok=True)
    site = Site(address, tls, read_scenarios(file), target, _MachineClock(), _say_phase)
    raise typer.Exit(0 if asyncio.run(_run_all(scenarios, model, site, out)) else 1)


async def _run_all(scenarios: list[str], models: list[str], site: Site, out: Path) -> bool:
    holds = True
    server = await described(site.address, tls=site.tls)
    for name in scenarios:
        for model in models:
            when = datetime.now(UTC)
            report = await run(name, model, site)
            path = out / f"{report.scenario}-{model}.json"
            write_result(report, path, scenarios=site.scenarios, target=site.target, server=server, when=when)
            _say(report)
            holds = holds and report.holds
    return holds


def _say_phase(name: str, seconds: float) -> None:
    sys.stderr.write(f"{name}, {seconds:.0f} s\n")


def _say(report: Report) -> None:
    findings = {finding.what: {"value": finding.value, "holds": finding.holds} for finding in report.findings}
    line = {"scenario": report.scenario, "model": report.model, "holds": report.holds, "findings": findings}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    typer.run(main)
