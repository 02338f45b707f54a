"""The scenario file is typed, and the scenarios say of known servers what is so."""

from dataclasses import replace
from pathlib import Path

import pytest

from inference.load.scenarios import SHIPPED, ScenariosInvalid, read_scenarios
from inference.load.trials import Trial, burst, poisson_load
from tests.load.inference.chaos import chaos
from tests.unit.load.simulation import QueueServer, SimulatedClock

SERVICE = 0.02


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def server(clock: SimulatedClock) -> QueueServer:
    return QueueServer(clock, SERVICE)


@pytest.fixture
def trial(clock: SimulatedClock, server: QueueServer) -> Trial:
    scenarios = read_scenarios()
    return Trial("model", server.send, scenarios, scenarios.targets["cpu"], clock)


def test_one_file_serves_both_kinds_of_machine() -> None:
    scenarios = read_scenarios()

    assert set(scenarios.targets) == {"cpu", "gpu"}
    assert scenarios.soak.seconds == 600
    assert scenarios.burst.factor == 10


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("most_outstanding = 4096", "most_outstanding = 10000000", "bounds.most_outstanding"),
        ("factor = 10.0", "factor = 0.5", "burst.factor"),
        ("[soak]", "[soak]\nsecond = 3", "soak.second"),
        ("[soak]", "[soak", "not TOML"),
    ],
)
def test_a_wrong_field_is_named(before: str, after: str, field: str, tmp_path: Path) -> None:
    path = tmp_path / "scenarios.toml"
    path.write_text(SHIPPED.read_text("utf-8").replace(before, after), "utf-8")

    with pytest.raises(ScenariosInvalid, match=field):
        read_scenarios(path)


async def test_the_peak_is_the_speed_of_the_server(clock: SimulatedClock, trial: Trial) -> None:
    assert await clock.run(trial.peak()) == pytest.approx(1 / SERVICE, rel=0.01)


async def test_a_stall_at_seventy_percent_of_the_peak_does_not_hold(
    clock: SimulatedClock, server: QueueServer, trial: Trial
) -> None:
    steady = await clock.run(poisson_load(trial, 1 / SERVICE, trial.scenarios.poisson))
    now = clock.monotonic()
    server.stand_still(now + 2, now + 2.6)
    stalled = await clock.run(poisson_load(trial, 1 / SERVICE, trial.scenarios.poisson))

    assert steady.holds
    assert not stalled.holds
    assert stalled.finding("longest stall at 50 %").value == pytest.approx(620, abs=25)


async def test_a_server_that_refuses_what_is_too_much_survives_a_burst(
    clock: SimulatedClock, server: QueueServer, trial: Trial
) -> None:
    server.refuses_beyond = 0.3

    report = await clock.run(burst(trial, 1 / SERVICE, trial.scenarios.burst))

    assert report.holds
    assert report.phases[0].figures.refused > 500
    assert report.finding("answered during").value == pytest.approx(1, abs=0.05)


async def test_a_server_that_takes_everything_does_not_recover_in_time(clock: SimulatedClock, trial: Trial) -> None:
    report = await clock.run(burst(trial, 1 / SERVICE, trial.scenarios.burst))

    assert not report.holds
    assert report.finding("recovered").value is None
    assert report.finding("requests refused").value == 0


@pytest.mark.parametrize(("outage", "holds"), [(3.0, True), (14.0, False)])
async def test_chaos_measures_until_callers_are_served_as_before(
    clock: SimulatedClock, server: QueueServer, trial: Trial, outage: float, holds: bool
) -> None:
    plan = trial.scenarios.chaos

    async def fault() -> None:
        now = clock.monotonic()
        server.stand_still(now, now + outage)
        await clock.sleep(outage)

    report = await clock.run(chaos(replace(trial, send=server.send), 1 / SERVICE, plan, "outage", fault))

    assert report.phases[0].run.seconds == pytest.approx(plan.before_seconds + outage + plan.after_seconds, abs=1)
    recovered = report.finding("recovered").value
    assert recovered is not None
    assert recovered >= outage
    assert report.holds is holds
