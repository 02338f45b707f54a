"""Runs of the scenarios that any server can be put to, wherever it is: they break nothing and look into no process."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from inference.client.clock import Clock
from inference.client.retries import CallPolicy
from inference.client.tls import Tls
from inference.load.reports import Report
from inference.load.requests import LoadRequest, load_request
from inference.load.scenarios import Scenarios, TargetName
from inference.load.targets import BareWire, ShieldedWire
from inference.load.trials import Begin, Trial, burst, poisson_load


@dataclass(frozen=True)
class Site:
    """Where and how.

    Attributes:
        address: `host:port` of the server.
        tls: How it is known; None to speak to it in clear.
        scenarios: The file.
        target: The part of it for the server's machine.
        clock: Of the process.
        begin: Told of each phase.
    """

    address: str
    tls: Tls | None
    scenarios: Scenarios
    target: TargetName
    clock: Clock
    begin: Begin


@dataclass(frozen=True)
class LoadedModel:
    """One model of a server, ready to be loaded."""

    site: Site
    request: LoadRequest
    trial: Trial


async def run(name: str, model: str, site: Site) -> Report:
    """Run a scenario.

    Args:
        name: one of `RUNS`.
        model: what is asked.
        site: where and how.
    """
    async with asking(model, site) as (asked, wire):
        report = await RUNS[name](asked)
        return replace(report, faults=dict(wire.faults) | dict(report.faults))


@asynccontextmanager
async def asking(model: str, site: Site) -> AsyncIterator[tuple[LoadedModel, BareWire]]:
    """Prepare to load a model, by the bare wire."""
    target, bounds = site.scenarios.targets[site.target], site.scenarios.bounds
    request = await load_request(site.address, model, batch=target.batch, tls=site.tls)
    async with BareWire(site.address, request, seconds=bounds.answer_seconds, tls=site.tls) as wire:
        yield LoadedModel(site, request, Trial(model, wire.send, site.scenarios, target, site.clock, site.begin)), wire


def shielded(asked: LoadedModel, queue_seconds: float) -> ShieldedWire:
    """Return the way through the client that the services use."""
    site = asked.site
    policy = CallPolicy(queue=queue_seconds, response=site.scenarios.bounds.answer_seconds)
    return ShieldedWire(site.address, asked.request, site.clock, policy, tls=site.tls)


async def _poisson(asked: LoadedModel) -> Report:
    return await poisson_load(asked.trial, await asked.trial.peak(), asked.site.scenarios.poisson)


async def _burst(asked: LoadedModel) -> Report:
    plan = asked.site.scenarios.burst
    async with shielded(asked, plan.queue_seconds) as wire:
        trial = replace(asked.trial, send=wire.send)
        report = await burst(trial, await trial.peak(), plan)
        return replace(report, faults=dict(wire.faults))


RUNS: Mapping[str, Callable[[LoadedModel], Awaitable[Report]]] = {"poisson": _poisson, "burst": _burst}
