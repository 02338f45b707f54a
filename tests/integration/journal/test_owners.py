"""Whose is what was destroyed, asked of the tables that each service really has."""

from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.parts.postgres import PostgresServer, postgres_server
from services.chassis.database import migrate, open_pool
from services.chassis.settings import DatabaseSettings
from services.journal import person_tag
from services.journal.owners import Owners
from tests.contract.products import ROOT

SERVICES = ("ingest", "analysis", "suggestion", "consent")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    async with postgres_server(tmp_path_factory.mktemp("postgres"), SERVICES) as server:
        yield server


@pytest.mark.parametrize("service", SERVICES)
async def test_a_person_is_found_by_tag_and_nothing_that_is_unknown(postgres: PostgresServer, service: str) -> None:
    settings = DatabaseSettings(database_url=SecretStr(postgres.url(service)))
    await migrate(settings, Path(ROOT, "services", service, "migrations"))
    tables = import_module(f"services.{service}.store.owners").OWNER_TABLES
    async with open_pool(settings) as pool:
        async with pool.connection() as connection:
            await connection.execute("INSERT INTO change_head (subject, sequence) VALUES ('ada', 1)")
        owners = Owners(pool, tables)
        tags = [person_tag("salt", name) for name in ("ada", "ben")]
        assert await owners.of_tags("salt", tags) == {tags[0]: "ada"}
        if tables.keys:
            assert await owners.of_data_keys(["00000000-0000-4000-8000-000000000001"]) == {}
            assert await owners.of_purpose_keys([1, 2]) == []
