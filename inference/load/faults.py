"""The scenarios about faults: what becomes of callers while a server breaks, and how soon all is as before."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator

from inference.client.clock import Clock
from inference.load.arrivals import poisson
from inference.load.figures import latency, recovered_after
from inference.load.harness import Run
from inference.load.reports import Finding, Phase, Report
from inference.load.scenarios import Chaos
from inference.load.trials import SEED, Trial

Fault = Callable[[], Awaitable[None]]
"""Breaks the server and returns once it is whole again."""

_RATIO = 2.0
_FLOOR = 0.25  # seconds


async def chaos(trial: Trial, peak: float, plan: Chaos, name: str, fault: Fault) -> Report:
    """Breaks a server under load, and goes on until it has been whole for a while.

    Args:
        trial: which asks through the client that the services use.
        peak: answers a second that the server gives at most.
        plan: of the scenario.
        name: of the fault.
        fault: what happens to the server.
    """
    outage = _Outage(plan)
    breaking = asyncio.create_task(outage.happen(trial.clock, fault))
    try:
        due = outage.until_over(poisson(plan.share * peak, plan.most_seconds, seed=SEED))
        phase = await trial.open(name, due, plan.most_seconds)
        whole_after = await breaking
    finally:
        breaking.cancel()
    seconds = max((sample.due for sample in phase.run.samples), default=plan.most_seconds)
    return _report(trial, plan, Phase(name, Run(phase.run.samples, seconds)), whole_after)


class _Outage:
    """A fault, and when it is over: nobody knows beforehand how long a server takes to start."""

    def __init__(self, plan: Chaos) -> None:
        self._plan = plan
        self._whole_after = float("inf")

    async def happen(self, clock: Clock, fault: Fault) -> float:
        """Breaks the server after a time; returns the seconds until it was whole again."""
        await clock.sleep(self._plan.before_seconds)
        broken = clock.monotonic()
        await fault()
        self._whole_after = clock.monotonic() - broken
        return self._whole_after

    def until_over(self, due_times: Iterable[float]) -> Iterator[float]:
        """Yields times until the server has been whole for as long as the plan says."""
        for due in due_times:
            if due > self._plan.before_seconds + self._whole_after + self._plan.after_seconds:
                return
            yield due


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
