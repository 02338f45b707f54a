import pytest

from services.chassis.object_store import ObjectStore
from tests.contract.chassis.object_store_suite import ObjectStoreSuite
from tests.fakes.object_store import FakeObjectStore


class TestFakeObjectStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return FakeObjectStore()

    @pytest.fixture
    def bucket(self) -> str:
        return "media"
