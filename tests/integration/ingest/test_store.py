import pytest

from services.chassis.database import Pool
from services.ingest.store.devices import DeviceStore
from services.ingest.store.lookup_keys import LookupKeyStore
from services.ingest.store.media import MediaStore
from services.ingest.store.purge import PurgeStore
from services.ingest.store.requests import RequestStore
from services.ingest.store.sweep import SweepStore
from services.ingest.store.uploads import UploadStore
from tests.contract.ingest.device_suite import DeviceSuite
from tests.contract.ingest.store_suite import Stores, StoreSuite


class TestPostgresStore(StoreSuite, DeviceSuite):
    @pytest.fixture
    def stores(self, pool: Pool) -> Stores:
        return Stores(
            UploadStore(pool),
            MediaStore(pool),
            DeviceStore(pool),
            RequestStore(pool),
            LookupKeyStore(pool),
            SweepStore(pool),
            PurgeStore(pool),
        )
