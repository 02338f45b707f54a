"""Runs one scenario against one model of a server: those that any server bears, and those that want this machine's."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inference.client.clock import Clock
from inference.load import runs
from inference.load.harness import Outcome, Send
from inference.load.memory import MemoryWatch, listening_process
from inference.load.reports import Report
from inference.load.runs import RUNS, LoadedModel, asking, shielded
from inference.load.scenarios import Scenarios, TargetName
from inference.load.trials import Begin, soak
from tests.load.inference.chaos import Fault, chaos
from tests.load.inference.mlperf import LoadgenScenario, mlperf
from tests.load.inference.own_server import OwnServer

NAMES = ("poisson", "burst", "soak", "chaos", "mlperf")


class NeedsOwnServer(Exception):
    """Faults are only made on a server that this process has started."""


@dataclass(frozen=True)
class Site:
    """Where and how.

    Attributes:
        address: `host:port` of the server.
        scenarios: The file.
        target: The part of it for the server's machine.
        clock: Of the process.
        begin: Told of each phase.
        folder: For what MLPerf's generator writes.
        own: The server, if this process started it.
    """

    address: str
    scenarios: Scenarios
    target: TargetName
    clock: Clock
    begin: Begin
    folder: Path
    own: OwnServer | None


async def run(name: str, model: str, site: Site) -> Sequence[Report]:
    """Run a scenario.

    Args:
        name: one of `NAMES`.
        model: what is asked.
        site: where and how.

    Raises:
        NeedsOwnServer: the scenario breaks its server, and this one is somebody else's.
        ServerNotFound: the scenario looks at the server's memory, and no process of this machine is the server.
    """
    place = runs.Site(site.address, None, site.scenarios, site.target, site.clock, site.begin)
    if name in RUNS:
        return [await runs.run(name, model, place)]
    async with asking(model, place) as (asked, wire):
        reports = await _SCENARIOS[name](asked, site)
        return [replace(report, faults=dict(wire.faults) | dict(report.faults)) for report in reports]


async def _soak(asked: LoadedModel, site: Site) -> Sequence[Report]:
    server = listening_process(int(site.address.rpartition(":")[2]))
    peak = await asked.trial.peak()
    return [await soak([(asked.trial, peak)], site.scenarios.soak, MemoryWatch(server, site.clock))]


async def _chaos(asked: LoadedModel, site: Site) -> Sequence[Report]:
    own = site.own
    if own is None:
        raise NeedsOwnServer("chaos kills and restarts its server: use --local")

    async def kill() -> None:
        await own.kill_model_process(asked.request.model)

    peak = await asked.trial.peak()
    return [
        await _broken(asked, site, peak, "killed model process", kill),
        await _broken(asked, site, peak, "drain and restart", own.restart),
    ]


async def _broken(asked: LoadedModel, site: Site, peak: float, name: str, fault: Fault) -> Report:
    plan = site.scenarios.chaos
    async with shielded(asked, plan.queue_seconds) as wire:
        report = await chaos(replace(asked.trial, send=wire.send), peak, plan, name, fault)
        return replace(report, faults=dict(wire.faults))


async def _mlperf(asked: LoadedModel, site: Site) -> Sequence[Report]:
    trial = asked.trial
    peak = await trial.peak()
    plan = site.scenarios.mlperf
    return [
        await mlperf(
            scenario,
            _at_most(trial.send, 2 * trial.target.in_flight) if scenario is LoadgenScenario.OFFLINE else trial.send,
            model=trial.model,
            peak=peak,
            plan=plan,
            folder=site.folder / f"mlperf-{scenario.value}-{trial.model}",
            clock=site.clock,
        )
        for scenario in LoadgenScenario
    ]


def _at_most(send: Send, most: int) -> Send:
    """Send so many at a time: Offline has all its questions at once, and they are not wanted all in the server."""
    places = asyncio.Semaphore(most)

    async def within(number: int) -> Outcome:
        async with places:
            return await send(number)

    return within


_SCENARIOS = {"soak": _soak, "chaos": _chaos, "mlperf": _mlperf}
