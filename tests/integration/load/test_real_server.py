"""The harness before a real server: short, and only whether it says what is so."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from inference.client.error_classes import Failed
from inference.client.retries import CallPolicy
from inference.load.bare import BareLoop
from inference.load.figures import recovered_after
from inference.load.harness import Outcome, closed_loop
from inference.load.memory import MemoryWatch, ServerNotFound, listening_process, memory_of
from inference.load.requests import NotFixed, load_request, served_models
from inference.load.scenarios import Scenarios, TargetName, read_scenarios
from inference.load.serving import compare
from inference.load.targets import BareWire, ShieldedWire
from inference.load.trials import Trial, soak
from inference.model_build.build import build_all, built_model, default_home
from inference.model_build.manifest import shipped_models
from services.chassis.clock import SystemClock
from tests.load.inference.harness import Site, run
from tests.load.inference.own_server import OwnServer, own_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "scene_classifier"
CLOCK = SystemClock()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnServer]:
    build_all(default_home())
    async with own_server(tmp_path_factory.mktemp("server")) as own:
        yield own


def _short() -> Scenarios:
    """Make the file, with seconds instead of minutes."""
    shipped = read_scenarios()
    return shipped.model_copy(
        update={
            "targets": {"cpu": shipped.targets["cpu"].model_copy(update={"in_flight": 4, "peak_seconds": 1.0})},
            "chaos": shipped.chaos.model_copy(update={"before_seconds": 2.0, "after_seconds": 8.0}),
            "mlperf": shipped.mlperf.model_copy(
                update={"min_seconds": 1.0, "single_stream_queries": 8, "server_queries": 16}
            ),
        }
    )


def _site(server: OwnServer, folder: Path, own: OwnServer | None = None) -> Site:
    target: TargetName = "cpu"
    return Site(server.address, _short(), target, CLOCK, lambda name, seconds: None, folder, own)


async def test_every_fixed_model_can_be_asked_whatever_it_takes(server: OwnServer) -> None:
    names = await served_models(server.address)

    assert names == tuple(sorted(model.name for model in shipped_models()))
    for name in names:
        try:
            asked = await load_request(server.address, name)
        except NotFixed:
            continue
        async with BareWire(server.address, asked, seconds=60) as wire:
            assert await wire.send(0) is Outcome.ANSWERED, wire.faults


async def test_a_model_that_is_not_there_is_said(server: OwnServer) -> None:
    with pytest.raises(Failed):
        await load_request(server.address, "nobody")


async def test_the_clients_way_answers_too(server: OwnServer) -> None:
    asked = await load_request(server.address, MODEL)

    async with ShieldedWire(server.address, asked, CLOCK, CallPolicy(queue=30, response=30)) as wire:
        run_of_it = await closed_loop(wire.send, 4, 0.5, CLOCK)

    assert {sample.outcome for sample in run_of_it.samples} == {Outcome.ANSWERED}


async def test_serving_is_held_against_the_bare_model(server: OwnServer) -> None:
    asked = await load_request(server.address, MODEL)
    scenarios = _short()
    bare = BareLoop(built_model(default_home(), MODEL).path, asked.inputs, asked.facts.instances)

    async with BareWire(server.address, asked, seconds=60) as wire:
        trial = Trial(MODEL, wire.send, scenarios, scenarios.targets["cpu"], CLOCK)
        served = await compare(trial, bare, seconds=2.0)

    assert served.failed == 0
    assert served.rates.rounds == 8
    assert served.rates.ratio > 0  # how good it is depends on what else the machine does


async def test_the_memory_of_the_server_is_that_of_all_its_processes(server: OwnServer) -> None:
    process = listening_process(int(server.address.rpartition(":")[2]))

    assert len(process.children()) >= len(shipped_models())
    assert memory_of(process) > 200
    with pytest.raises(ServerNotFound):
        listening_process(9)


async def test_a_soak_says_how_memory_grows(server: OwnServer) -> None:
    scenarios = _short()
    asked = await load_request(server.address, MODEL)
    watch = MemoryWatch(listening_process(int(server.address.rpartition(":")[2])), CLOCK, every=0.2)

    async with BareWire(server.address, asked, seconds=60) as wire:
        trial = Trial(MODEL, wire.send, scenarios, scenarios.targets["cpu"], CLOCK)
        plan = scenarios.soak.model_copy(update={"seconds": 3.0})
        report = await soak([(trial, 10.0)], plan, watch)

    assert report.phases[0].figures.failed == 0
    assert set(report.numbers) >= {"growth_mib_per_hour", "growth_low_mib_per_hour", "growth_high_mib_per_hour"}
    assert len(report.phases[0].memory) > 4


async def test_mlperfs_generator_drives_the_server_in_three_scenarios(server: OwnServer, tmp_path: Path) -> None:
    reports = await run("mlperf", MODEL, _site(server, tmp_path))

    assert [report.scenario for report in reports] == ["mlperf SingleStream", "mlperf Server", "mlperf Offline"]
    for report in reports:
        assert report.finding("requests not answered").holds, report
        assert any("latency" in name for name in report.numbers)
    assert (tmp_path / f"mlperf-Offline-{MODEL}" / "mlperf_log_summary.txt").exists()


async def test_callers_get_over_a_killed_model_process_and_over_a_restart(server: OwnServer, tmp_path: Path) -> None:
    killed, drained = await run("chaos", MODEL, _site(server, tmp_path, server))

    for report in (killed, drained):
        whole = _short().chaos.before_seconds + report.numbers["server_whole_after_s"]
        # How soon, how fast and for all but a few is the scenario's to say, on a machine that does nothing else.
        again = recovered_after(report.phases[0].run, whole, within=math.inf, share=0.5)
        assert again is not None, report.faults
        assert report.finding("requests without an end").holds
