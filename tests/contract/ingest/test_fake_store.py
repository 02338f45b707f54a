import pytest

from tests.contract.ingest.store_suite import Stores, StoreSuite
from tests.fakes.ingest import FakeLookupKeys, FakeMedia, FakePurge, FakeRequests, FakeSweepTables, FakeUploads, Tables


class TestFakeStore(StoreSuite):
    @pytest.fixture
    def stores(self) -> Stores:
        tables = Tables()
        return Stores(
            FakeUploads(tables),
            FakeMedia(tables),
            FakeRequests(tables),
            FakeLookupKeys(tables),
            FakeSweepTables(tables),
            FakePurge(tables),
        )
