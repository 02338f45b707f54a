"""Real servers for the whole run: PostgreSQL and NATS, SeaweedFS and MinIO, ingest and retention as processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.parts.minio import MinioServer, minio_server
from deploy.local.parts.minio_program import cached_minio
from deploy.local.parts.nats import nats_server
from deploy.local.parts.postgres import postgres_server
from deploy.local.parts.seaweedfs import SeaweedServer, seaweedfs_server
from services.chassis.database import Pool, migrate, open_pool
from services.chassis.settings import DatabaseSettings
from services.ingest.__main__ import MIGRATIONS
from tests.integration.ingest.harness import Harness, Phone, Servers, running_harness

TABLES = (
    "media, missing_media, upload, segment, lookup_key, deleted_media, request, usage, device, discard, fence, "
    "outbox, inbox, "
    "dead_letter, set_aside, change_head, change_feed, change_acknowledgement"
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ingest_database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DatabaseSettings]:
    """Make a database that no service uses, for the tables alone."""
    async with postgres_server(tmp_path_factory.mktemp("postgres"), ["ingest"]) as server:
        settings = DatabaseSettings(database_url=SecretStr(server.url("ingest")))
        await migrate(settings, MIGRATIONS)
        yield settings


@pytest.fixture
async def pool(ingest_database: DatabaseSettings) -> AsyncIterator[Pool]:
    async with open_pool(ingest_database) as pool:
        async with pool.connection() as connection:
            await connection.execute(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
        yield pool


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def on_seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Harness]:
    folder = tmp_path_factory.mktemp("seaweedfs")
    async with seaweedfs_server(folder) as store, _running(folder, store) as harness:
        yield harness


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def on_minio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Harness]:
    if cached_minio() is None:
        pytest.skip("MinIO is not built here: `pellicule up --object-store minio` builds it once")
    folder = tmp_path_factory.mktemp("minio")
    async with minio_server(folder) as store, _running(folder, store) as harness:
        yield harness


@asynccontextmanager
async def _running(folder: Path, store: SeaweedServer | MinioServer) -> AsyncIterator[Harness]:
    """Run two services on an object store."""
    users = ["ingest", "retention", "suggestion", "analysis"]
    services = folder / "services"
    services.mkdir()
    settings = {"UPLOAD_IDLE_SECONDS": "2", "MAX_MEDIA_BYTES": "20000000"}
    async with (
        postgres_server(folder, ["ingest", "retention"]) as postgres,
        nats_server(folder, users) as nats,
        running_harness(services, Servers(postgres, nats, store), **settings) as harness,
    ):
        yield harness
    assert not [log.name for log in services.glob("*.log") if b"connection_held" in log.read_bytes()]


@pytest.fixture(scope="session", params=["seaweedfs", "minio"])
def harness(request: pytest.FixtureRequest) -> Harness:
    """Return the services on each of the object stores; both stay, however often tests go from one to the other."""
    running: Harness = request.getfixturevalue(f"on_{request.param}")
    return running


@pytest.fixture
async def channels(harness: Harness) -> AsyncIterator[tuple[grpc.aio.Channel, grpc.aio.Channel]]:
    async with harness.public("ingest") as public, harness.internal("consent", "retention") as consent:
        yield public, consent


@pytest.fixture
async def stranger(harness: Harness, channels: tuple[grpc.aio.Channel, grpc.aio.Channel]) -> Phone:
    """Make a phone whose owner has granted nothing."""
    return Phone(harness, *channels)


@pytest.fixture
async def phone(harness: Harness, channels: tuple[grpc.aio.Channel, grpc.aio.Channel]) -> Phone:
    phone = Phone(harness, *channels)
    await phone.grant("CLOUD_PROCESSING")
    return phone


@pytest.fixture
async def other(harness: Harness, channels: tuple[grpc.aio.Channel, grpc.aio.Channel]) -> Phone:
    phone = Phone(harness, *channels)
    await phone.grant("CLOUD_PROCESSING")
    return phone
