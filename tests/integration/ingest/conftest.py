"""A real PostgreSQL for the ingest tables, empty for every test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.parts.postgres import postgres_server
from services.chassis.database import Pool, migrate, open_pool
from services.chassis.settings import DatabaseSettings
from services.ingest.__main__ import MIGRATIONS

TABLES = "media, upload, segment, lookup_key, deleted_media, usage, discard, fence, outbox, inbox, dead_letter"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ingest_database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DatabaseSettings]:
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
