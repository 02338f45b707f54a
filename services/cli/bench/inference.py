"""Measurement behind `bench inference`: every served model by itself, and the server under load.

    serve.<model>    requests a second at 16 in flight, of what ONNX Runtime does with as many sessions and no server
    poisson.<model>  callers who know nothing of each other, at 70 % of the peak: the longest stall, and latencies
    burst.<model>    ten times the rate for some seconds, through the client that the services use
    soak             all models at once for ten minutes: does the server's memory grow?

The running stack is asked, or else a server of its own. Models that take pictures of any size have a bench of their
own (`bench restyle`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from inference.client.error_classes import Failed
from inference.client.retries import CallPolicy
from inference.load.bare import BareLoop
from inference.load.memory import MemoryWatch, listening_process
from inference.load.reports import Finding, Report
from inference.load.requests import LoadRequest, NotFixed, load_request, served_models
from inference.load.scenarios import Burst, Poisson, Scenarios, Soak, read_scenarios
from inference.load.serving import Served, compare
from inference.load.targets import BareWire, ShieldedWire
from inference.load.trials import Trial, burst, poisson_load, soak
from inference.model_build.build import default_home as models_home
from inference.model_build.errors import ModelError
from inference.repository import network_of
from services.chassis.clock import SystemClock
from services.cli.bench.ratio_row import Row, ratio_row
from services.cli.bench.server import inference_server
from services.cli.output import CommandFailed, progress_bars

GOAL = 0.85
MAIN_MODELS = ("face_detector", "scene_classifier")
"""Every photo goes through them."""
TARGET: Final = "cpu"
SERVED_SECONDS = 20.0
SHARE = 0.7


async def measure(*, soak_seconds: float | None = None) -> AsyncIterator[Row]:
    """Yield a line for each measurement, as it is made.

    Args:
        soak_seconds: of the soak; those of the scenario file when left out. None is made of zero.
    """
    scenarios = read_scenarios()
    with progress_bars() as bars:
        bar = bars.add_task("starting", total=None)

        def begin(name: str, seconds: float) -> None:
            bars.update(bar, description=name)

        async with inference_server() as address, AsyncExitStack() as stack:
            bench = _Bench(address, scenarios, begin, stack)
            async for row in bench.rows(scenarios.soak.seconds if soak_seconds is None else soak_seconds):
                yield row


@dataclass(frozen=True)
class _Asked:
    """A model under test, and the most that the server gave of it."""

    request: LoadRequest
    trial: Trial
    peak: float


class _Bench:
    """The measurements on one server."""

    def __init__(
        self, address: str, scenarios: Scenarios, begin: Callable[[str, float], None], stack: AsyncExitStack
    ) -> None:
        self._address = address
        self._scenarios = scenarios
        self._begin = begin
        self._stack = stack

    async def rows(self, soak_seconds: float) -> AsyncIterator[Row]:
        """Yield the lines, those of the models alone first."""
        asked = list[_Asked]()
        for name in await served_models(self._address):
            if found := await self._request(name):
                served, one = await self._serve(found)
                asked.append(one)
                yield _served_row(found, served)
        main = [one for one in asked if one.request.model in MAIN_MODELS]
        for one in main:
            yield await self._poisson(one)
        for one in main:
            yield await self._burst(one)
        if soak_seconds:
            yield await self._soak(asked, self._scenarios.soak.model_copy(update={"seconds": soak_seconds}))

    async def _request(self, name: str) -> LoadRequest | None:
        try:
            return await load_request(self._address, name)
        except NotFixed:
            return None
        except Failed as failed:
            raise CommandFailed("SERVER_UNUSABLE", f"{name}: {failed}", "triton") from failed

    async def _serve(self, asked: LoadRequest) -> tuple[Served, _Asked]:
        trial = await self._trial(asked)
        bare = BareLoop(_network(asked), asked.inputs, asked.facts.instances)
        served = await compare(trial, bare, seconds=SERVED_SECONDS)
        return served, _Asked(asked, trial, served.rates.value)

    async def _trial(self, asked: LoadRequest) -> Trial:
        seconds = self._scenarios.bounds.answer_seconds
        wire = await self._stack.enter_async_context(BareWire(self._address, asked, seconds=seconds))
        return Trial(
            asked.model, wire.send, self._scenarios, self._scenarios.targets[TARGET], SystemClock(), self._begin
        )

    async def _poisson(self, asked: _Asked) -> Row:
        plan: Poisson = self._scenarios.poisson.model_copy(update={"shares": (SHARE,)})
        report = await poisson_load(asked.trial, asked.peak, plan)
        found = report.phases[0].figures
        extra = {
            "rate": round(found.offered_rate, 2), "peak": round(asked.peak, 2),
            "p50_ms": round(found.latency.p50_ms, 1), "p99_ms": round(found.latency.p99_ms, 1),
            "max_ms": round(found.latency.max_ms, 1), "failed": found.failed,
            "sent_late_ms": round(found.sent_late_ms, 1),
        }  # fmt: skip
        return _row(f"poisson.{asked.request.model}", report.finding("longest stall"), report, extra)

    async def _burst(self, asked: _Asked) -> Row:
        plan: Burst = self._scenarios.burst
        seconds = self._scenarios.bounds.answer_seconds
        policy = CallPolicy(queue=plan.queue_seconds, response=seconds)
        async with ShieldedWire(self._address, asked.request, SystemClock(), policy) as wire:
            trial = replace(asked.trial, send=wire.send)
            report = await burst(trial, await trial.peak(), plan)
        found = report.phases[0].figures
        extra = {
            "factor": plan.factor, "offered": found.offered, "shed": found.refused, "failed": found.failed,
            "goodput_share": _rounded(report.finding("answered during").value), "goodput_goal": plan.goodput_share,
            "peak": round(report.numbers["peak_per_second"], 2), "p99_ms": round(found.latency.p99_ms, 1),
        }  # fmt: skip
        return _row(f"burst.{asked.request.model}", report.finding("recovered"), report, extra)

    async def _soak(self, asked: list[_Asked], plan: Soak) -> Row:
        server = listening_process(int(self._address.rpartition(":")[2]))
        watch = MemoryWatch(server, SystemClock())
        report = await soak([(one.trial, one.peak) for one in asked], plan, watch)
        failed = sum(phase.figures.failed for phase in report.phases)
        answered = sum(phase.figures.answered for phase in report.phases)
        extra: dict[str, object] = {name: round(value, 2) for name, value in report.numbers.items()}
        extra |= {"seconds": plan.seconds, "answered": answered, "failed": failed}
        return _row("soak", report.finding("rise"), report, extra)


def _network(asked: LoadRequest) -> Path:
    """Return the ONNX file that is served.

    Raises:
        CommandFailed: the server serves another one, so there is nothing to hold it against.
    """
    try:
        identity, path = network_of(models_home(), asked.model)
    except ModelError as error:
        raise CommandFailed(error.reason, str(error), error.field) from error
    if asked.facts.identity not in {"", identity}:
        message = f"the server has {asked.facts.identity}, but {identity} is built; restart the stack"
        raise CommandFailed("MODEL_NOT_COMPARABLE", message, asked.model)
    return path


def _served_row(asked: LoadRequest, served: Served) -> Row:
    row = ratio_row(
        f"serve.{asked.model}", "requests/s", served.rates,
        goal=GOAL, instances=asked.facts.instances, failed=served.failed,
    )  # fmt: skip
    return {**row, "holds": row["holds"] and not served.failed}


def _row(name: str, finding: Finding, report: Report, extra: Row) -> Row:
    """Return a line about something that must stay within a limit; it holds if all else of the report does, too."""
    return {
        "name": name,
        "value": _rounded(finding.value),
        "unit": finding.unit,
        "limit": finding.limit,
        "ratio": _rounded(None if finding.value is None else finding.value / finding.limit),
        "goal": 1.0,
        "holds": report.holds,
        "at_most": True,
        "what": finding.what,
        **extra,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
