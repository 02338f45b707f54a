import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.parts.postgres import PostgresServer, postgres_server
from services.chassis.clock import SystemClock
from services.chassis.database import migrate
from services.chassis.schema import SchemaBehind, await_schema
from services.chassis.settings import DatabaseSettings

ROLES = ("ingest", "analysis", "consent")
SOON, NEVER = 0.1, 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    async with postgres_server(tmp_path_factory.mktemp("postgres"), ROLES) as server:
        yield server


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    write(folder, "20270101000001_album")
    return folder


def write(folder: Path, name: str) -> None:
    table = name.partition("_")[2]
    text = f"-- migrate:up\nSELECT pg_sleep(0.3);\nCREATE TABLE {table} ();\n-- migrate:down\nDROP TABLE {table};\n"
    (folder / f"{name}.sql").write_text(text)


def settings(server: PostgresServer, role: str) -> DatabaseSettings:
    return DatabaseSettings(database_url=SecretStr(server.url(role)))


async def refusal(database: DatabaseSettings, migrations: Path) -> str:
    with pytest.raises(SchemaBehind) as refused:
        await await_schema(database, migrations, SystemClock(), wait_seconds=SOON)
    return str(refused.value)


async def test_the_first_migration_that_is_missing_is_named_with_the_remedy(
    server: PostgresServer, migrations: Path
) -> None:
    database = settings(server, "ingest")
    assert "lacks the migration 20260101000001_outbox.sql: run this service once with PELLICULE_ROLES=prepare" in (
        await refusal(database, migrations)
    )
    await migrate(database, migrations)
    await await_schema(database, migrations, SystemClock(), wait_seconds=SOON)
    write(migrations, "20270101000002_page")
    assert "lacks the migration 20270101000002_page.sql" in await refusal(database, migrations)


async def test_a_process_waits_for_another_that_migrates_and_two_of_them_do_it_once(
    server: PostgresServer, migrations: Path
) -> None:
    database = settings(server, "analysis")
    waiting = asyncio.create_task(await_schema(database, migrations, SystemClock(), wait_seconds=NEVER))
    await asyncio.gather(*(migrate(database, migrations) for _ in range(2)))
    await waiting
    async with await psycopg.AsyncConnection.connect(database.database_url.get_secret_value()) as connection:
        cursor = await connection.execute("SELECT FROM schema_migrations WHERE version = '20270101000001'")
        assert cursor.rowcount == 1


async def test_a_process_of_the_release_before_runs_on_a_later_schema(
    server: PostgresServer, migrations: Path, tmp_path: Path
) -> None:
    database, older = settings(server, "consent"), tmp_path / "older"
    older.mkdir()
    await migrate(database, migrations)
    await await_schema(database, older, SystemClock(), wait_seconds=SOON)


async def test_a_database_that_does_not_answer_is_named(migrations: Path) -> None:
    nowhere = DatabaseSettings(database_url=SecretStr("postgresql://ingest:secret@127.0.0.1:9/ingest"))
    why = await refusal(nowhere, migrations)
    assert ("PELLICULE_DATABASE_URL does not answer" in why, "secret" in why) == (True, False)
