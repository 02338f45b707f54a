"""Transactions whose answer is lost between the server and the driver: what was stored keeps its key."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from psycopg import OperationalError
from pydantic import SecretStr

from services.chassis.database import Pool, open_pool
from services.chassis.seal import CHUNK_SIZE
from services.chassis.settings import DatabaseSettings
from services.ingest.domain.devices import DeviceDescription
from services.ingest.domain.media import Announcement
from services.ingest.domain.policy import Policy
from services.ingest.operations.lookup_keys import LookupKeys
from services.ingest.operations.receive_upload import receive, receive_whole, start_and_receive
from services.ingest.operations.register_device import register_device
from services.ingest.operations.start_upload import start_upload
from services.ingest.store.devices import DeviceStore
from services.ingest.store.lookup_keys import LookupKeyStore
from services.ingest.store.media import MediaStore
from services.ingest.store.requests import RequestStore
from services.ingest.store.uploads import UploadStore
from tests.fakes.network import FaultyNetwork, faulty_network, port_of, through
from tests.unit.ingest.harness import ALICE, Harness, announce, announce_reduced, pieces, stream
from tests.unit.ingest.pictures import motion_photo, picture
from tests.unit.ingest.test_receive_upload import read

LARGE = motion_photo(64, 48) + bytes(3 * CHUNK_SIZE)
COMMIT = b"COMMIT"
AT_ONCE = b"store_at_once"


@pytest.fixture
async def network(ingest_database: DatabaseSettings, pool: Pool) -> AsyncIterator[FaultyNetwork]:
    async with faulty_network(port_of(ingest_database.database_url.get_secret_value())) as network:
        yield network


@pytest.fixture
async def lossy(ingest_database: DatabaseSettings, network: FaultyNetwork) -> AsyncIterator[Harness]:
    """Use cases on the real database behind the network, and on a keyring that shows its keys."""
    url = through(ingest_database.database_url.get_secret_value(), network)
    settings = DatabaseSettings(database_url=SecretStr(url), database_pool_size=2)
    async with open_pool(settings) as pool:
        harness = Harness(policy=Policy(segment_bytes=CHUNK_SIZE))
        harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
        harness.dependencies = replace(
            harness.dependencies,
            uploads=UploadStore(pool),
            media=MediaStore(pool),
            devices=DeviceStore(pool),
            requests=RequestStore(pool),
            lookup_keys=LookupKeys(
                LookupKeyStore(pool), harness.keyring, harness.clock, harness.policy.retention, harness.background
            ),
        )
        await harness.dependencies.lookup_keys.open(ALICE)
        yield harness
        await harness.background.finish()


async def keys_of(pool: Pool, table: str) -> set[str]:
    """Return the keys of what is stored."""
    async with pool.connection() as connection:
        rows = await connection.execute(f"SELECT data_key_id::text FROM {table} WHERE data_key_id IS NOT NULL")
        return {key for (key,) in await rows.fetchall()}


class TestUploads:
    async def test_a_small_upload_that_was_stored_keeps_its_key(
        self, lossy: Harness, network: FaultyNetwork, pool: Pool
    ) -> None:
        content, request_id = picture(), uuid4()
        announced = announce(lossy.now, content)
        network.lose_answer(AT_ONCE)
        with pytest.raises(OperationalError):
            await start_and_receive(
                lossy.dependencies,
                subject=ALICE,
                request_id=request_id,
                announcement=announced,
                chunks=stream(*pieces(content)),
            )
        await lossy.background.finish()
        assert network.has_lost
        stored = await keys_of(pool, "media")
        assert (len(stored), stored - lossy.keyring.alive) == (1, set())
        media = await receive_whole(
            lossy.dependencies,
            subject=ALICE,
            request_id=request_id,
            announcement=announced,
            chunks=stream(*pieces(content)),
        )
        assert await read(lossy, media.id) == content

    async def test_a_broken_upload_whose_first_commit_was_stored_goes_on(
        self, lossy: Harness, network: FaultyNetwork, pool: Pool
    ) -> None:
        request_id, announced = uuid4(), announce(lossy.now, LARGE)
        network.lose_answer(COMMIT)
        with pytest.raises(OperationalError):
            await start_and_receive(
                lossy.dependencies,
                subject=ALICE,
                request_id=request_id,
                announcement=announced,
                chunks=stream(*pieces(LARGE)),
            )
        await lossy.background.finish()
        assert network.has_lost
        assert await keys_of(pool, "upload") - lossy.keyring.alive == set()
        await goes_on(lossy, request_id, announced)

    @pytest.mark.parametrize("commits", range(6))
    async def test_an_upload_goes_on_whichever_commit_has_lost_its_answer(
        self, lossy: Harness, network: FaultyNetwork, pool: Pool, commits: int
    ) -> None:
        request_id, announced = uuid4(), announce(lossy.now, LARGE)

        async def chunks() -> AsyncIterator[bytes]:
            for number, chunk in enumerate(pieces(LARGE)):
                if number == commits:
                    network.lose_answer(COMMIT)
                yield chunk
            network.lose_answer(COMMIT)

        with pytest.raises(OperationalError):
            await start_and_receive(
                lossy.dependencies, subject=ALICE, request_id=request_id, announcement=announced, chunks=chunks()
            )
        await lossy.background.finish()
        assert await keys_of(pool, "upload") - lossy.keyring.alive == set()
        await goes_on(lossy, request_id, announced)

    async def test_a_better_copy_that_was_stored_keeps_its_key(
        self, lossy: Harness, network: FaultyNetwork, pool: Pool
    ) -> None:
        original, reduced = picture("JPEG", 400, 300), picture("JPEG", 100, 75)
        await lossy.upload(announce_reduced(lossy.now, original, reduced), reduced)
        announced = announce(lossy.now, original)
        with pytest.raises(OperationalError):
            await start_and_receive(
                lossy.dependencies,
                subject=ALICE,
                request_id=uuid4(),
                announcement=announced,
                chunks=losing_commit(network, original),
            )
        await lossy.background.finish()
        assert network.has_lost
        assert await keys_of(pool, "media") - lossy.keyring.alive == set()
        media = await lossy.keep(original)
        assert await read(lossy, media) == original


class TestReplacedKeys:
    async def test_a_device_that_was_stored_keeps_its_key_and_the_one_before_is_destroyed(
        self, lossy: Harness, network: FaultyNetwork, pool: Pool
    ) -> None:
        device_id = uuid4()
        await register_device(lossy.dependencies, subject=ALICE, device_id=device_id, description=DeviceDescription())
        await lossy.clock.advance(timedelta(days=2))
        await lossy.dependencies.lookup_keys.open(ALICE)
        network.lose_answer(COMMIT)
        with pytest.raises(OperationalError):
            await register_device(
                lossy.dependencies, subject=ALICE, device_id=device_id, description=DeviceDescription()
            )
        await lossy.background.finish()
        assert network.has_lost
        assert lossy.keyring.alive == await keys_of(pool, "device") | await keys_of(pool, "lookup_key")

    async def test_a_seal_that_was_stored_keeps_its_key_and_the_one_before_is_destroyed(
        self, lossy: Harness, network: FaultyNetwork, pool: Pool
    ) -> None:
        await lossy.clock.advance(timedelta(days=2))
        network.lose_answer(COMMIT)
        with pytest.raises(OperationalError):
            await lossy.dependencies.lookup_keys.open(ALICE)
        await lossy.background.finish()
        assert network.has_lost
        assert lossy.keyring.alive == await keys_of(pool, "lookup_key")


async def losing_commit(network: FaultyNetwork, content: bytes) -> AsyncIterator[bytes]:
    for chunk in pieces(content):
        yield chunk
    network.lose_answer(COMMIT)


async def goes_on(harness: Harness, request_id: UUID, announced: Announcement) -> None:
    """Send what is missing, as a phone does, and read what was stored."""
    upload = await start_upload(harness.dependencies, subject=ALICE, request_id=request_id, announcement=announced)
    received = await receive(
        harness.dependencies,
        subject=ALICE,
        upload_id=upload.id,
        offset=upload.committed_bytes,
        chunks=stream(*pieces(LARGE[upload.committed_bytes :])),
    )
    await harness.background.finish()
    assert received.media is not None
    assert await read(harness, received.media.id) == LARGE
