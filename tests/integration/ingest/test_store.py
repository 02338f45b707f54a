import pytest

from services.chassis.database import Pool
from services.ingest.media_store import HousekeepingStore, LookupKeyStore, MediaStore
from services.ingest.purge_store import PurgeStore
from services.ingest.store import UploadStore
from tests.contract.ingest.store_suite import Stores, StoreSuite


class TestPostgresStore(StoreSuite):
    @pytest.fixture
    def stores(self, pool: Pool) -> Stores:
        return Stores(
            UploadStore(pool), MediaStore(pool), LookupKeyStore(pool), HousekeepingStore(pool), PurgeStore(pool)
        )
