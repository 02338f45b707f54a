from uuid import uuid4

from services.chassis.settings import DatabaseSettings
from services.ingest.store.writer_locks import open_writer_locks
from tests.integration.eventually import eventually


async def test_an_upload_has_one_writer_however_many_processes_there_are(ingest_database: DatabaseSettings) -> None:
    upload, other = uuid4(), uuid4()
    async with open_writer_locks(ingest_database) as here, open_writer_locks(ingest_database) as there:
        assert await here.acquire(upload)
        assert not await here.acquire(upload)
        assert not await there.acquire(upload)
        assert await there.acquire(other)
        await here.release(upload)
        assert await there.acquire(upload)


async def test_a_lock_dies_with_its_holder(ingest_database: DatabaseSettings) -> None:
    upload = uuid4()
    async with open_writer_locks(ingest_database) as survivor:
        async with open_writer_locks(ingest_database) as dying:
            assert await dying.acquire(upload)
            assert not await survivor.acquire(upload)
        # The server gives back what a connection held when it notices its end, a moment later.
        assert await eventually(lambda: survivor.acquire(upload), bool)


async def test_a_lost_connection_is_made_anew(ingest_database: DatabaseSettings) -> None:
    async with open_writer_locks(ingest_database) as locks:
        assert await locks.acquire(uuid4())
        await locks.close()
        assert await locks.acquire(uuid4())
