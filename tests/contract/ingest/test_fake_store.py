import pytest

from tests.contract.ingest.device_suite import DeviceSuite
from tests.contract.ingest.quota_suite import QuotaSuite
from tests.contract.ingest.store_suite import Stores, StoreSuite
from tests.fakes.ingest import (
    FakeDevices,
    FakeLookupKeys,
    FakeMedia,
    FakeMissing,
    FakePurge,
    FakeRequests,
    FakeSweepTables,
    FakeUploads,
    Tables,
)


class TestFakeStore(StoreSuite, QuotaSuite, DeviceSuite):
    @pytest.fixture
    def stores(self) -> Stores:
        tables = Tables()
        return Stores(
            FakeUploads(tables),
            FakeMedia(tables),
            FakeDevices(tables),
            FakeRequests(tables),
            FakeLookupKeys(tables),
            FakeSweepTables(tables),
            FakePurge(tables),
            FakeMissing(tables),
        )
