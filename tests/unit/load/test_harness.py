"""What the harness says of servers whose behaviour is known beforehand."""

import pytest

from inference.load.arrivals import poisson, step
from inference.load.figures import answers_between, figures, longest_stall
from inference.load.harness import Outcome, closed_loop, open_loop
from tests.unit.load.simulation import QueueServer, SimulatedClock

PLENTY = 100_000


def constant(rate: float, seconds: float) -> list[float]:
    """Time at even distances."""
    return [number / rate for number in range(round(rate * seconds))]


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


async def test_latency_counts_from_when_a_request_was_due_while_the_server_stands_still(clock: SimulatedClock) -> None:
    server = QueueServer(clock, 0.001)
    server.stand_still(2.0, 3.0)

    run = await clock.run(open_loop(server.send, constant(100, 5), 5, clock, most_outstanding=PLENTY))

    found = figures(run)
    assert (found.offered, found.answered) == (500, 500)
    assert found.latency.max_ms == pytest.approx(1001, abs=2)
    # A hundred of the five hundred came while it stood still: they are the upper fifth, not one single sample.
    assert found.latency.p90_ms > 400
    assert found.latency.p50_ms == pytest.approx(1, abs=0.1)
    assert found.longest_stall_ms == pytest.approx(1001, abs=2)


async def test_a_closed_loop_would_have_hidden_that(clock: SimulatedClock) -> None:
    server = QueueServer(clock, 0.001)
    server.stand_still(2.0, 3.0)

    run = await clock.run(closed_loop(server.send, 1, 5, clock))

    assert figures(run).latency.p99_ms == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("load", [0.5, 0.7, 0.9])
async def test_the_mean_wait_before_one_server_is_that_of_queueing_theory(clock: SimulatedClock, load: float) -> None:
    service = 0.01
    rate = load / service
    seconds = 4_000 / rate

    run = await clock.run(
        open_loop(
            QueueServer(clock, service).send, poisson(rate, seconds, seed=7), seconds, clock, most_outstanding=PLENTY
        )
    )

    wait = figures(run).latency.mean_ms / 1e3 - service
    assert wait == pytest.approx(load * service / (2 * (1 - load)), rel=0.1)  # M/D/1: Pollaczek and Khinchine


async def test_a_closed_loop_finds_the_rate_of_the_server(clock: SimulatedClock) -> None:
    run = await clock.run(closed_loop(QueueServer(clock, 0.01, servers=2).send, 16, 10, clock))

    assert figures(run).rate == pytest.approx(200, rel=0.01)
    assert len(run.samples) == pytest.approx(2000 + 16, abs=16)


async def test_what_the_test_itself_does_not_send_is_counted(clock: SimulatedClock) -> None:
    server = QueueServer(clock, 1.0)

    run = await clock.run(open_loop(server.send, constant(100, 1), 1, clock, most_outstanding=10))

    found = figures(run)
    assert (found.answered, found.not_sent, found.offered) == (10, 90, 100)


async def test_refusals_are_no_answers(clock: SimulatedClock) -> None:
    server = QueueServer(clock, 0.1)
    server.refuses_beyond = 0.25

    run = await clock.run(open_loop(server.send, constant(100, 2), 2, clock, most_outstanding=PLENTY))

    found = figures(run)
    assert found.refused > 150
    assert found.rate == pytest.approx(10, abs=1)
    assert found.latency.max_ms <= 360


async def test_a_step_has_its_rates(clock: SimulatedClock) -> None:
    due = list(step(50, 10, before=4, during=2, after=4, seed=1))

    assert due == sorted(due)
    assert sum(4 <= moment < 6 for moment in due) == pytest.approx(1000, rel=0.1)
    assert sum(moment < 4 for moment in due) == pytest.approx(200, rel=0.25)


async def test_the_same_seed_gives_the_same_times() -> None:
    assert list(poisson(10, 5, seed=3)) == list(poisson(10, 5, seed=3)) != list(poisson(10, 5, seed=4))


async def test_a_server_that_nobody_asks_does_not_stall(clock: SimulatedClock) -> None:
    run = await clock.run(open_loop(QueueServer(clock, 0.01).send, [0.0, 9.0], 10, clock, most_outstanding=PLENTY))

    assert longest_stall(run) == pytest.approx(0.01)
    assert answers_between(run, 5, 10) == pytest.approx(0.2)


async def test_a_failure_ends_no_stall(clock: SimulatedClock) -> None:
    async def send(number: int) -> Outcome:
        await clock.sleep(0.5 if number == 1 else 0.1)
        return Outcome.FAILED if number < 2 else Outcome.ANSWERED

    run = await clock.run(open_loop(send, [0.0, 0.05, 0.5], 1, clock, most_outstanding=PLENTY))

    assert longest_stall(run) == pytest.approx(0.6)
    assert figures(run).failed == 2
