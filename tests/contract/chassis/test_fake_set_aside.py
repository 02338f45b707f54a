import pytest

from tests.contract.chassis.set_aside_suite import SetAsideSuite
from tests.fakes.set_aside import FakeSetAside


class TestFakeSetAside(SetAsideSuite):
    @pytest.fixture
    def set_aside(self) -> FakeSetAside:
        return FakeSetAside()
