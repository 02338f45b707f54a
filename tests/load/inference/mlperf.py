"""MLPerf's own load generator before a server: it decides when what is sent, and what the result is.

Its threads are C++; questions come in on one of them, are sent by the event loop, and their ends are told back. Its
log files stay in the folder that is named.
"""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import mlperf_loadgen as loadgen

from inference.client.clock import Clock
from inference.load.harness import Outcome, Run, Sample, Send
from inference.load.reports import Finding, Phase, Report
from inference.load.scenarios import Mlperf

_NANOSECONDS = 1e9
_SUMMARY = "mlperf_log_summary.txt"


class LoadgenScenario(StrEnum):
    """The scenarios of MLPerf Inference that fit a server of single pictures."""

    SINGLE_STREAM = "SingleStream"
    SERVER = "Server"
    OFFLINE = "Offline"


_OFFLINE_MARGIN = 1.5
"""It makes as many questions as should last long enough; a server that is quicker than its peak would end too early."""


class _SystemUnderTest:
    """Takes questions on the generator's thread and has the event loop send them."""

    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._tasks = set[asyncio.Task[None]]()
        self._began = clock.monotonic()
        self._gives_up = False
        self.samples: list[Sample] = []

    def give_up(self) -> None:
        """Asks nothing any more: what the generator still wants is done at once."""
        self._gives_up = True

    def issue(self, queries: list[loadgen.QuerySample]) -> None:
        """Send the queries that the generator asks for."""
        due = self._clock.monotonic() - self._began
        numbers = [(query.id, query.index) for query in queries]
        self._loop.call_soon_threadsafe(self._begin, numbers, due)

    def flush(self) -> None:
        """Do nothing: the generator has no more, and nothing waits here."""

    def _begin(self, numbers: list[tuple[int, int]], due: float) -> None:
        for identifier, index in numbers:
            task = asyncio.ensure_future(self._answer(identifier, index, due))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, identifier: int, index: int, due: float) -> None:
        sent = self._clock.monotonic() - self._began
        outcome = Outcome.NOT_SENT if self._gives_up else await self._send(index)
        self.samples.append(Sample(due, sent, self._clock.monotonic() - self._began, outcome))
        loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(identifier, 0, 0)])


async def mlperf(
    scenario: LoadgenScenario, send: Send, *, model: str, peak: float, plan: Mlperf, folder: Path, clock: Clock
) -> Report:
    """Run one scenario of MLPerf.

    Args:
        scenario: which.
        send: sends a request.
        model: what is asked.
        peak: answers a second that the server gives at most.
        plan: of the scenario file.
        folder: for the generator's logs.
        clock: of the process.
    """
    system = _SystemUnderTest(send, clock)
    under_test = loadgen.ConstructSUT(system.issue, system.flush)
    library = loadgen.ConstructQSL(plan.samples, plan.samples, lambda indices: None, lambda indices: None)
    generating = asyncio.create_task(
        asyncio.to_thread(
            loadgen.StartTestWithLogSettings, under_test, library, _settings(scenario, peak, plan), _logs(folder)
        )
    )
    try:
        await asyncio.shield(generating)
    finally:
        # Its threads go on whatever becomes of this task, and call what is destroyed next.
        system.give_up()
        await generating
        loadgen.DestroyQSL(library)
        loadgen.DestroySUT(under_test)
    summary = read_summary(folder / _SUMMARY)
    seconds = max((sample.ended for sample in system.samples), default=plan.min_seconds)
    phase = Phase(scenario.value, Run(tuple(system.samples), seconds))
    return _report(scenario, model, peak, phase, summary)


def read_summary(path: Path) -> Mapping[str, str]:
    """Read what the generator says: its lines `name : value`."""
    lines = (line.partition(":") for line in path.read_text("utf-8").splitlines())
    return {name.strip(): value.strip() for name, colon, value in lines if colon}


def _settings(scenario: LoadgenScenario, peak: float, plan: Mlperf) -> loadgen.TestSettings:
    fewest = {
        LoadgenScenario.SINGLE_STREAM: plan.single_stream_queries,
        LoadgenScenario.SERVER: plan.server_queries,
        LoadgenScenario.OFFLINE: 1,
    }[scenario]
    settings = loadgen.TestSettings()
    settings.scenario = getattr(loadgen.TestScenario, scenario.value)
    settings.mode = loadgen.TestMode.PerformanceOnly
    settings.min_duration_ms = round(1e3 * plan.min_seconds)
    settings.min_query_count = fewest
    settings.max_duration_ms = round(1e3 * max(4 * plan.min_seconds, 4 * fewest / peak))
    settings.single_stream_expected_latency_ns = round(_NANOSECONDS / peak)
    settings.server_target_qps = plan.server_share * peak
    settings.server_target_latency_ns = round(plan.server_latency_ms * 1e6)
    settings.offline_expected_qps = _OFFLINE_MARGIN * peak
    return settings


def _logs(folder: Path) -> loadgen.LogSettings:
    folder.mkdir(parents=True, exist_ok=True)
    logs = loadgen.LogSettings()
    logs.log_output = loadgen.LogOutputSettings()
    logs.log_output.outdir = str(folder)
    logs.log_output.copy_summary_to_stdout = False
    logs.enable_trace = False
    return logs


def _report(scenario: LoadgenScenario, model: str, peak: float, phase: Phase, summary: Mapping[str, str]) -> Report:
    lost = sum(sample.outcome is not Outcome.ANSWERED for sample in phase.run.samples)
    valid = Finding("valid for the generator", float(summary.get("Result is") == "VALID"), "", 1, at_least=True)
    numbers = {"peak_per_second": peak, **_numbers(summary)}
    findings = (valid, Finding("requests not answered", lost, "requests", 0))
    return Report(f"mlperf {scenario.value}", model, (phase,), findings, numbers)


def _numbers(summary: Mapping[str, str]) -> Mapping[str, float]:
    """Return the numbers that the generator measured, by its names for them."""
    found = dict[str, float]()
    for name, value in summary.items():
        if "latency (ns)" in name or "per second" in name:
            found[name] = float(value)
    return found
