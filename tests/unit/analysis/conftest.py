import pytest

from tests.unit.analysis.world import World


@pytest.fixture
def world() -> World:
    return World()
