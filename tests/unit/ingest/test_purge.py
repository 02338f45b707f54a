from uuid import uuid4

from services.ingest.operations.delete_media import delete_media
from services.keyring import DataKeyScope, PurgeCause, SubjectScope
from tests.unit.ingest.harness import ALICE, BOB, Harness
from tests.unit.ingest.pictures import picture


async def test_an_order_counts_what_each_store_deleted(harness: Harness) -> None:
    media_id = await harness.keep()
    key_id = harness.tables.media[media_id].data_key_id
    counts = await harness.purge(DataKeyScope((str(key_id),)), PurgeCause.DEADLINE)
    assert {store: count for store, count in counts.items() if count} == {
        "ingest.table.media": 1,
        "ingest.table.upload": 1,
        "ingest.table.segment": 1,
        "ingest.table.usage": 1,
        "ingest.bucket.media": 1,
    }
    again = await harness.purge(DataKeyScope((str(key_id),)), PurgeCause.DEADLINE)
    assert set(again.values()) == {0}


async def test_a_person_is_forgotten_whole(harness: Harness) -> None:
    await harness.keep(picture(seed=1))
    deleted = await harness.keep(picture(seed=2))
    await delete_media(harness.dependencies, subject=ALICE, media_id=deleted, request_id=uuid4())
    await harness.keep(subject=BOB)
    revision = harness.keyring.destroy_subject(ALICE)
    await harness.purge(SubjectScope(revision, harness.now), PurgeCause.ERASURE)
    everything = (harness.tables.media, harness.tables.uploads, harness.tables.lookup_keys, harness.tables.deleted)
    assert ALICE not in repr(everything)
    assert len(harness.objects.objects) == 1
