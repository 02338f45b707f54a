import pytest

from tests.contract.consent.store_suite import Stores, StoreSuite
from tests.fakes.consent import FakeConsentStore


class TestFakeStore(StoreSuite):
    @pytest.fixture
    def stores(self) -> Stores:
        store = FakeConsentStore()
        return Stores(store, store.notice_store)
