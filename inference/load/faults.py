"""The scenarios about faults: what becomes of callers while a server breaks, and how soon all is as before."""

import asyncio
from collections.abc import Awaitable, Callable

from inference.load.arrivals import poisson
from inference.load.figures import latency, recovered_after
from inference.load.reports import Finding, Phase, Report
from inference.load.scenarios import Chaos
from inference.load.trying import SEED, Trial

Fault = Callable[[], Awaitable[None]]
"""Breaks the server and returns once it is whole again."""

_RATIO = 2.0
_FLOOR = 0.25  # seconds


async def chaos(trial: Trial, peak: float, plan: Chaos, name: str, fault: Fault) -> Report:
    """Breaks a server under load.

    Args:
        trial: which asks through the client that the services use.
        peak: answers a second that the server gives at most.
        plan: of the scenario.
        name: of the fault.
        fault: what happens to the server.
    """
    seconds = plan.before_seconds + plan.after_seconds
    breaking = asyncio.create_task(_later(trial, plan.before_seconds, fault))
    try:
        phase = await trial.open(name, poisson(plan.share * peak, seconds, seed=SEED), seconds)
        whole_after = await breaking
    finally:
        breaking.cancel()
    return _report(trial, plan, phase, whole_after)


async def _later(trial: Trial, seconds: float, fault: Fault) -> float:
    """Breaks the server after a time; returns the seconds until it was whole again."""
    await trial.clock.sleep(seconds)
    broken = trial.clock.monotonic()
    await fault()
    return trial.clock.monotonic() - broken


def _report(trial: Trial, plan: Chaos, phase: Phase, whole_after: float) -> Report:
    start = plan.before_seconds
    before = latency(sample for sample in phase.run.samples if sample.due < start)
    within = max(_RATIO * before.p99_ms / 1e3, _FLOOR)
    whole = recovered_after(phase.run, start + whole_after, within=within)
    recovered = None if whole is None else whole_after + whole
    numbers = {"server_whole_after_s": whole_after, "recovered_within_ms": 1e3 * within}
    findings = (
        Finding("recovered after", recovered, "s", plan.recovery_seconds),
        Finding("requests without an end", phase.figures.not_sent, "requests", 0),
    )
    return Report("chaos", f"{trial.model} {phase.name}", (phase,), findings, numbers)
