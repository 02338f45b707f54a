from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

import services.suggestion
from deploy.local.parts.postgres import postgres_server
from services.chassis.database import migrate, open_pool
from services.chassis.settings import DatabaseSettings
from services.suggestion.store.database import Database
from tests.contract.suggestion.store_suite import StoreSuite

MIGRATIONS = Path(services.suggestion.__file__).parent / "migrations"
TABLES = "suggestion, rendition, decision, due, fence, tombstone, inbox, outbox"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DatabaseSettings]:
    async with postgres_server(tmp_path_factory.mktemp("postgres"), ["suggestion"]) as server:
        found = DatabaseSettings(database_url=SecretStr(server.url("suggestion")))
        await migrate(found, MIGRATIONS)
        yield found


class TestPostgresStore(StoreSuite):
    @pytest.fixture
    async def database(self, settings: DatabaseSettings) -> AsyncIterator[Database]:
        async with open_pool(settings) as pool:
            async with pool.connection() as connection:
                await connection.execute(f"TRUNCATE {TABLES}")
            yield Database(pool)
