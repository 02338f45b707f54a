"""A neighbour of a hostile person is served, and memory stays flat; at full size, with figures: tests/load."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.load.neighbours.site import Site, running_site
from tests.load.neighbours.trial import Outcome

MOST_GROWN_MIB = 500
"""200 uploads of one person that were never finished took 5,000 before there were budgets."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with running_site(tmp_path_factory.mktemp("neighbours")) as site:
        yield site


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("attack", ["open_uploads", "small_messages"])
async def test_a_neighbour_of_an_attack_is_served_and_memory_stays_flat(site: Site, attack: str) -> None:
    outcome: Outcome = await site.attacked(attack, share=0.2, rounds=1, seconds=2)
    assert outcome.begun > 0
    assert outcome.grown_mib < MOST_GROWN_MIB, outcome
