"""What `bench keys` makes of rounds that were measured elsewhere."""

import pytest

from services.cli.bench.echo_server import ask
from services.cli.bench.keys import compared


def test_a_rate_is_held_against_its_neighbours() -> None:
    found = compared([50.0, 60.0], [90.0, 110.0, 130.0])

    assert (found.value, found.limit, found.rounds) == (55.0, 110.0, 2)
    assert found.ratio == pytest.approx(0.5)


def test_an_echo_is_asked_for_with_as_many_bytes_as_the_call() -> None:
    assert len(ask(4000, 6000)) == 4000
    assert int.from_bytes(ask(4000, 6000)[:4], "big") == 6000
