import pytest

from tests.contract.chassis.walks_suite import WalksSuite
from tests.fakes.walks import FakeWalks


class TestFakeWalks(WalksSuite):
    @pytest.fixture
    def walks(self) -> FakeWalks:
        return FakeWalks()
