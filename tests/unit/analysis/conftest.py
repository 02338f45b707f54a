import pytest

from tests.unit.analysis.harness import Harness


@pytest.fixture
def harness() -> Harness:
    return Harness()
