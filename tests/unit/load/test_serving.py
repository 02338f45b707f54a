"""What serving costs, of servers whose speed is known."""

from collections.abc import Callable
from itertools import count
from typing import Any, cast

import pytest

from inference.load.bare import BareLoop
from inference.load.scenarios import read_scenarios
from inference.load.serving import FEWEST_ROUNDS, Served, compare
from inference.load.trials import Trial
from inference.load.turns import PRECISION, uncertainty
from tests.unit.load.simulation import QueueServer, SimulatedClock

SERVICE_SECONDS, SERVERS = 0.05, 2
SERVED_RATE = SERVERS / SERVICE_SECONDS
SECONDS = 20.0
MOST_ROUNDS = 40  # of half a second: the shortest there are


class _Bare:
    """Two sessions, as fast in each round as it is told."""

    sessions = SERVERS

    def __init__(self, rate: Callable[[int], float]) -> None:
        self._rate, self._round = rate, count()

    def rate(self, _: float) -> float:
        return self._rate(next(self._round))


async def _compared(rate: Callable[[int], float]) -> Served:
    clock = SimulatedClock()
    server = QueueServer(clock, SERVICE_SECONDS, servers=SERVERS)
    scenarios = read_scenarios()
    trial = Trial("small_net", server.send, scenarios, scenarios.targets["cpu"], clock)
    bare = cast("BareLoop", cast("Any", _Bare(rate)))
    return await clock.run(compare(trial, bare, seconds=SECONDS))


async def test_a_quiet_machine_needs_few_rounds() -> None:
    served = await _compared(lambda _: SERVED_RATE * 1.25)
    assert (served.rates.rounds, served.failed) == (FEWEST_ROUNDS, 0)
    assert served.rates.ratio == pytest.approx(0.8, abs=0.02)
    assert served.rates.value == pytest.approx(SERVED_RATE, rel=0.02)
    assert served.rates.uncertainty < PRECISION


async def test_a_restless_machine_is_measured_for_as_long_as_is_given_and_says_so() -> None:
    served = await _compared(lambda number: SERVED_RATE * (1.4, 0.6, 2.4, 0.9)[number % 4])
    assert served.rates.rounds == MOST_ROUNDS
    assert served.rates.uncertainty > PRECISION


async def test_a_machine_that_becomes_slower_is_held_against_itself_at_the_time() -> None:
    served = await _compared(lambda number: SERVED_RATE * (1.25 if number else 3.0))
    assert served.rates.ratio == pytest.approx(0.8, abs=0.02)


def test_the_uncertainty_is_half_the_interval_of_a_median() -> None:
    # Sixteen values: 1.96 standard errors, each 1.2533 standard deviations over the root of sixteen.
    ratios = [0.80] * 4 + [0.84] * 8 + [0.92] * 4
    low, high = 0.83, 0.86
    assert uncertainty(ratios) == pytest.approx(1.96 * 1.2533 * (high - low) / 1.349 / 4)
