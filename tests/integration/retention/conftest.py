"""A real PostgreSQL and a real NATS for the whole run; a database made empty for every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.parts.nats import nats_server
from deploy.local.parts.postgres import postgres_server
from services.chassis.database import Pool, migrate, open_pool
from services.chassis.settings import BusSettings, DatabaseSettings
from services.retention.__main__ import MIGRATIONS
from services.retention.store.database import PostgresStore
from services.retention.translation.responses import purge_ordered
from tests.contract.retention.harness import RetentionHarness, new_harness
from tests.fakes.clock import FakeClock
from tests.integration.retention.harness import Callers, RunningRetention, running_retention

SERVICE = "retention"
TABLES = (
    "epoch, purpose_key, purpose_decision, data_key, media,"
    " erasure, erased_subject, erased_person, purge_order, store_purge, outbox, inbox, dead_letter, set_aside,"
    " journal_pending, journal_position, revision_reservation, replica"
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DatabaseSettings]:
    async with postgres_server(tmp_path_factory.mktemp("postgres"), [SERVICE]) as server:
        settings = DatabaseSettings(database_url=SecretStr(server.url(SERVICE)))
        await migrate(settings, MIGRATIONS)
        yield settings


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, BusSettings]]:
    users = [SERVICE, "ingest"]
    async with nats_server(tmp_path_factory.mktemp("nats"), users) as server:
        yield {user: BusSettings(nats_url=SecretStr(server.url(user))) for user in users}


@pytest.fixture
async def pool(database: DatabaseSettings) -> AsyncIterator[Pool]:
    async with open_pool(database) as pool:
        async with pool.connection() as connection:
            await connection.execute(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
        yield pool


@pytest.fixture
def store(pool: Pool) -> PostgresStore:
    return PostgresStore(pool, purge_ordered)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def harness(store: PostgresStore, tmp_path: Path, clock: FakeClock) -> RetentionHarness:
    return await new_harness(store, tmp_path, clock)


@pytest.fixture(scope="session")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Callers:
    return Callers(tmp_path_factory.mktemp("callers"))


@pytest.fixture
async def retention(harness: RetentionHarness, callers: Callers) -> AsyncIterator[RunningRetention]:
    async with running_retention(harness, callers) as running:
        yield running
