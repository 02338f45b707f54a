from dataclasses import replace

import pytest

from services.chassis.database import Pool
from services.ingest.store.devices import DeviceStore
from services.ingest.store.lookup_keys import LookupKeyStore
from services.ingest.store.media import MediaStore
from services.ingest.store.missing import MissingStore
from services.ingest.store.purge import PurgeStore
from services.ingest.store.requests import RequestStore
from services.ingest.store.sweep import SweepStore
from services.ingest.store.uploads import UploadStore
from services.keyring import DataKeyScope, SubjectScope
from tests.contract.ingest.device_suite import DeviceSuite
from tests.contract.ingest.quota_suite import QuotaSuite
from tests.contract.ingest.store_suite import (
    ALICE,
    BOB,
    NOON,
    QUOTA,
    Stores,
    StoreSuite,
    event,
    order,
    segment,
    store,
    store_at_once,
    upload,
)


@pytest.fixture
def stores(pool: Pool) -> Stores:
    return Stores(
        UploadStore(pool),
        MediaStore(pool),
        DeviceStore(pool),
        RequestStore(pool),
        LookupKeyStore(pool),
        SweepStore(pool),
        PurgeStore(pool),
        MissingStore(pool),
    )


class TestPostgresStore(StoreSuite, QuotaSuite, DeviceSuite):
    """All of it on PostgreSQL."""


class TestTriggers:
    """What the change feed is told of media, in the transaction that alters them."""

    async def test_a_media_that_comes_changes_and_goes_is_told_each_time(self, stores: Stores, pool: Pool) -> None:
        media = await store(stores, upload())
        name = f"media/{media.id}"
        assert await told(pool) == [(name, 1, False)]
        changed = replace(media, sealed_metadata=b"sealed anew", metadata_revision=2)
        await stores.media.update(changed, event(), None, NOON, quota=QUOTA)
        assert await told(pool) == [(name, 2, False)]
        await stores.purge.delete(order(DataKeyScope((str(media.data_key_id),))))
        assert await told(pool) == [(name, 3, True)]

    async def test_what_an_owner_does_not_see_is_not_told(self, stores: Stores, pool: Pool) -> None:
        media = await store(stores, upload())
        await stores.media.want_originals("test", "1", ALICE, [media.id])
        assert await told(pool) == [(f"media/{media.id}", 1, False)]

    async def test_what_is_stored_in_one_step_is_told(self, stores: Stores, pool: Pool) -> None:
        row = upload()
        await store_at_once(stores, row, segment())
        assert await told(pool) == [(f"media/{row.media_id}", 1, False)]

    async def test_a_deletion_that_was_told_before_is_told_no_other_way(self, stores: Stores, pool: Pool) -> None:
        media = await store(stores, upload())
        await stores.media.tell_deleted(ALICE, media.id, NOON)
        await stores.purge.delete(order(DataKeyScope((str(media.data_key_id),))))
        assert await told(pool) == [(f"media/{media.id}", 2, True)]

    async def test_with_the_account_the_feed_is_forgotten_and_no_other_persons(
        self, stores: Stores, pool: Pool
    ) -> None:
        await store(stores, upload())
        await store(stores, upload(BOB))
        await stores.purge.delete(order(SubjectScope(6, NOON)))
        assert [deleted for _, _, deleted in await told(pool)] == [True]
        await store(stores, upload())
        await stores.purge.delete(order(SubjectScope(6, NOON, account=True)))
        assert await told(pool) == []
        assert len(await told(pool, BOB)) == 1


async def told(pool: Pool, subject: str = ALICE) -> list[tuple[str, int, bool]]:
    """Return the rows of a person's change feed, in their order."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT resource, sequence, deleted FROM change_feed WHERE subject = %s ORDER BY sequence", (subject,)
        )
        return [(resource, sequence, deleted) for resource, sequence, deleted in await cursor.fetchall()]
