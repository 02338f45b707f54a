import pytest

from tests.contract.suggestion.store_suite import StoreSuite
from tests.fakes.suggestion import FakeDatabase


class TestFakeStore(StoreSuite):
    @pytest.fixture
    def database(self) -> FakeDatabase:
        return FakeDatabase()
