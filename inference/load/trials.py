"""Scenarios: each tries one thing and reports what it found."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.client.clock import Clock
from inference.load.arrivals import poisson, step
from inference.load.figures import answers_between, latency, percentile, recovered_after
from inference.load.harness import Run, Send, closed_loop, open_loop
from inference.load.reports import Finding, Phase, Report, nothing_failed
from inference.load.scenarios import Burst, Poisson, Scenarios, Soak, Target

if TYPE_CHECKING:  # it looks into processes, which what loads another machine neither can nor has the package for
    from inference.load.memory import MemoryWatch

SEED = 20
WARM_UP_SECONDS = 1.0
RAMP_SECONDS = 0.5  # after a step, until its rate shows in the answers

Begin = Callable[[str, float], None]
"""Told of each phase and of the seconds that it takes."""


@dataclass(frozen=True)
class Trial:
    """What a scenario works with.

    Attributes:
        model: What is asked.
        send: Sends a request.
        scenarios: The file.
        target: The part of it for this machine.
        clock: Of the process.
        begin: Told of each phase.
    """

    model: str
    send: Send
    scenarios: Scenarios
    target: Target
    clock: Clock
    begin: Begin = lambda name, seconds: None

    async def open(self, name: str, due_times: Iterable[float], seconds: float) -> Phase:
        """Send requests when they are due, as a phase."""
        self.begin(f"{self.model} {name}", seconds)
        most = self.scenarios.bounds.most_outstanding
        return Phase(name, await open_loop(self.send, due_times, seconds, self.clock, most_outstanding=most))

    async def closed(self, name: str, in_flight: int, seconds: float) -> Phase:
        """Keep so many requests in flight, as a phase."""
        self.begin(f"{self.model} {name}", seconds)
        return Phase(name, await closed_loop(self.send, in_flight, seconds, self.clock))

    async def peak(self) -> float:
        """Return the most answers a second that the server gives."""
        await self.closed("warm-up", self.target.in_flight, WARM_UP_SECONDS)
        phase = await self.closed("peak", self.target.in_flight, self.target.peak_seconds)
        return phase.figures.rate


async def poisson_load(trial: Trial, peak: float, plan: Poisson) -> Report:
    """Callers who know nothing of each other, at shares of the peak."""
    phases, findings = [], []
    for share in plan.shares:
        name = f"{share:.0%}".replace("%", " %")
        phase = await trial.open(name, poisson(share * peak, plan.seconds, seed=SEED), plan.seconds)
        phases.append(phase)
        if share <= plan.held_share:
            stall = phase.figures.longest_stall_ms
            findings.append(Finding(f"longest stall at {name} of the peak", stall, "ms", trial.target.stall_ms))
    held = [phase for share, phase in zip(plan.shares, phases, strict=True) if share <= plan.held_share]
    return Report("poisson", trial.model, tuple(phases), (*findings, nothing_failed(*held)), {"peak_per_second": peak})


async def burst(trial: Trial, peak: float, plan: Burst) -> Report:
    """Step to many times the rate: what is too much is refused, the rest served as before, and soon all again.

    Args:
        trial: which sends through the client that refuses what is too much.
        peak: answers a second that the server gives at most.
        plan: of the scenario.
    """
    seconds = plan.before_seconds + plan.during_seconds + plan.after_seconds
    due = step(
        plan.base_share * peak, plan.factor,
        before=plan.before_seconds, during=plan.during_seconds, after=plan.after_seconds, seed=SEED,
    )  # fmt: skip
    phase = await trial.open("burst", due, seconds)
    start, end = plan.before_seconds, plan.before_seconds + plan.during_seconds
    within = max(plan.recovered_ratio * p99_seconds(phase.run, until=start), plan.recovered_floor_ms / 1e3)
    goodput = answers_between(phase.run, start + RAMP_SECONDS, end)
    findings = (
        Finding("requests refused", phase.figures.refused, "requests", 1, at_least=True),
        Finding("answered during the burst, of the peak", goodput / peak, "", plan.goodput_share, at_least=True),
        Finding("recovered after", recovered_after(phase.run, end, within=within), "s", plan.recovery_seconds),
        nothing_failed(phase),
    )
    numbers = {"peak_per_second": peak, "goodput_per_second": goodput, "recovered_within_ms": 1e3 * within}
    return Report("burst", trial.model, (phase,), findings, numbers)


async def soak(trials: Sequence[tuple[Trial, float]], plan: Soak, watch: "MemoryWatch") -> Report:
    """Load every model evenly for a long time: does the server's memory grow?

    Args:
        trials: each with the peak of its model; the share of it that is asked for is divided among all.
        plan: of the scenario.
        watch: looks at the server's memory.

    Raises:
        ValueError: the time is too short to say anything of growth.
    """
    looking = asyncio.create_task(watch.run())
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_soaked(trial, peak, plan, len(trials))) for trial, peak in trials]
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
    memory = tuple(zip(watch.seconds, watch.mebibytes, strict=False))
    phases = tuple(Phase(task.result().name, task.result().run, memory) for task in tasks)
    warm = plan.warm_up_share * plan.seconds
    growth = watch.growth(after=warm)
    limit = Finding("rise of memory from the first half to the second", watch.rise(after=warm), "MiB", plan.rise_mib)
    numbers = {
        "growth_mib_per_hour": growth.value,
        "growth_low_mib_per_hour": growth.low,
        "growth_high_mib_per_hour": growth.high,
        "memory_mib": percentile(watch.mebibytes, 1.0),
    }
    model = trials[0][0].model if len(trials) == 1 else "all"
    return Report("soak", model, phases, (limit, nothing_failed(*phases)), numbers)


async def _soaked(trial: Trial, peak: float, plan: Soak, among: int) -> Phase:
    return await trial.open(trial.model, poisson(plan.share * peak / among, plan.seconds, seed=SEED), plan.seconds)


def p99_seconds(run: Run, *, until: float) -> float:
    """Return the 99th percentile of what was due until then."""
    return latency(sample for sample in run.samples if sample.due < until).p99_ms / 1e3
