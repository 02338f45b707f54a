import pytest

from tests.contract.analysis.store_suite import StoreSuite
from tests.fakes.analysis_store import FakeAnalysisStore


class TestFakeStore(StoreSuite):
    @pytest.fixture
    def tables(self) -> FakeAnalysisStore:
        return FakeAnalysisStore()
