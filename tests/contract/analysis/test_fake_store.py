import pytest

from tests.contract.analysis.store_suite import StoreSuite
from tests.fakes.analysis_store import FakeAnalysisStore


class FakeTables(FakeAnalysisStore):
    """The fake store, and what its change feed names."""

    async def changes(self, subject: str) -> list[tuple[str, bool, int]]:
        _, rows = await self.feed.store.read(subject, None, 100)
        gone = [each for each in self.feed.store.latest[subject].values() if each.deleted]
        return [(row.resource, row.deleted, row.sequence) for row in [*gone, *rows]]


class TestFakeStore(StoreSuite):
    @pytest.fixture
    def tables(self) -> FakeTables:
        return FakeTables()
