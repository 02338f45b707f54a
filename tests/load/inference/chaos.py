"""A server that breaks under load: what becomes of its callers, and how soon all is as before."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import takewhile

from inference.load.arrivals import poisson
from inference.load.figures import recovered_after
from inference.load.harness import Run
from inference.load.reports import Finding, Phase, Report
from inference.load.scenarios import Chaos
from inference.load.trials import SEED, Trial, p99_seconds

Fault = Callable[[], Awaitable[None]]
"""Breaks the server and returns once it is whole again."""

_WHOLE_RATIO = 2.0
_WHOLE_SECONDS = 0.25


async def chaos(trial: Trial, peak: float, plan: Chaos, name: str, fault: Fault) -> Report:
    """Break a server under load, and go on until it has been whole for a while.

    Args:
        trial: which sends through the client that the services use.
        peak: answers a second that the server gives at most.
        plan: of the scenario.
        name: of the fault.
        fault: what happens to the server.
    """
    whole_after = float("inf")

    async def happen() -> None:
        nonlocal whole_after
        await trial.clock.sleep(plan.before_seconds)
        broken = trial.clock.monotonic()
        await fault()
        whole_after = trial.clock.monotonic() - broken

    def until_over(due_times: Iterable[float]) -> Iterator[float]:
        # How long a server takes to start is not known beforehand.
        return takewhile(lambda due: due <= plan.before_seconds + whole_after + plan.after_seconds, due_times)

    breaking = asyncio.create_task(happen())
    try:
        due = until_over(poisson(plan.share * peak, plan.most_seconds, seed=SEED))
        phase = await trial.open(name, due, plan.most_seconds)
        await breaking
    finally:
        breaking.cancel()
    seconds = max((sample.due for sample in phase.run.samples), default=plan.most_seconds)
    phase = Phase(name, Run(phase.run.samples, seconds))
    within = max(_WHOLE_RATIO * p99_seconds(phase.run, until=plan.before_seconds), _WHOLE_SECONDS)
    whole = recovered_after(phase.run, plan.before_seconds + whole_after, within=within)
    findings = (
        Finding("recovered after", None if whole is None else whole_after + whole, "s", plan.recovery_seconds),
        Finding("requests without an end", phase.figures.not_sent, "requests", 0),
    )
    numbers = {"server_whole_after_s": whole_after, "recovered_within_ms": 1e3 * within}
    return Report("chaos", f"{trial.model} {name}", (phase,), findings, numbers)
