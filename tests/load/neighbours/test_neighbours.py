"""What a neighbour feels of a hostile person, at full size; `deploy/test load -- -k neighbour -s` prints figures."""

import pytest

from tests.load.neighbours.attacks import ATTACKS
from tests.load.neighbours.site import Site
from tests.load.neighbours.trial import GOAL

MOST_GROWN_MIB = 500


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.timeout(600)
async def test_a_neighbour_waits_less_than_twice_as_long_and_memory_stays_flat(site: Site, attack: str) -> None:
    outcome = await site.attacked(attack, rounds=6, seconds=6)
    print(outcome)  # noqa: T201  # the figures are what the measurement is for
    assert outcome.reads < GOAL, outcome
    assert outcome.uploads < GOAL, outcome
    assert outcome.grown_mib < MOST_GROWN_MIB, outcome
