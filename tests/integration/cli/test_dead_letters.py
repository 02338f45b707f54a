"""The operator's command for what failed, on a real database."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from pydantic import SecretStr

import services.ingest
from deploy.local.parts.postgres import postgres_server
from services.chassis.database import Pool, migrate, open_pool
from services.chassis.failed_work.dead_letters import DeadLetter, DeadLetters
from services.chassis.failed_work.set_aside import Item, PostgresSetAside
from services.chassis.messaging.events import IncomingEvent
from services.chassis.settings import DatabaseSettings

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVENT = IncomingEvent("1", "pellicule.internal.ingest.v1.MediaStored", "/ingest", "media/7", datetime.now(UTC), b"")
LETTER = "ingest/ingest-saved/1"
ORDER = "ingest/purge_order/purgeOrders/2"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with postgres_server(tmp_path_factory.mktemp("postgres"), ["ingest"]) as server:
        settings = DatabaseSettings(database_url=SecretStr(server.url("ingest")))
        await migrate(settings, Path(services.ingest.__path__[0]) / "migrations")
        yield server.url("ingest")


@pytest_asyncio.fixture(loop_scope="session")
async def pool(url: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(database_url=SecretStr(url))) as pool:
        async with pool.connection() as connection:
            await connection.execute("TRUNCATE dead_letter, set_aside")
        await DeadLetters(pool).put(DeadLetter.of("ingest-saved", EVENT, deliveries=8, reason="KeyError"))
        await PostgresSetAside(pool).put("purge_order", Item("purgeOrders/2", "ada"), "S3Error", datetime.now(UTC))
        yield pool


async def command(url: str, *arguments: str) -> tuple[int, list[dict[str, object]]]:
    """Return the status and the lines of the command's answer."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", "dead-letters", *arguments, "--json"),
        env={**os.environ, "PELLICULE_DATABASE_URL": url},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, [json.loads(line) for line in output.decode().splitlines()]


async def test_what_failed_is_listed_and_shown(url: str, pool: Pool) -> None:
    status, rows = await command(url, "list")
    assert (status, [(row["name"], row["what"], row["reason"]) for row in rows]) == (
        0,
        [(LETTER, "dead_letter", "KeyError"), (ORDER, "set_aside", "S3Error")],
    )
    status, (row,) = await command(url, "show", LETTER)
    assert (status, row["event_type"], row["event_subject"], row["attempts"]) == (0, EVENT.type, "media/7", 8)


async def test_what_failed_is_tried_again_when_an_operator_asks(url: str, pool: Pool) -> None:
    assert await command(url, "retry", LETTER, ORDER) == (
        0,
        [{"name": LETTER, "retried": True}, {"name": ORDER, "retried": True}],
    )
    assert [letter.event.id for letter in await DeadLetters(pool).asked_again("ingest-saved", 10)] == ["1"]
    (next_time,) = (await PostgresSetAside(pool).of_kind("purge_order", datetime.now(UTC))).values()
    assert next_time <= datetime.now(UTC)


async def test_what_failed_is_deleted_on_a_clear_word_alone(url: str, pool: Pool) -> None:
    status, (refused,) = await command(url, "delete", LETTER)
    assert (status, refused["error"]["reason"]) == (2, "NOT_CONFIRMED")  # type: ignore[index]
    assert await command(url, "delete", LETTER, "--yes") == (0, [{"name": LETTER, "deleted": True}])
    status, rows = await command(url, "list")
    assert [row["name"] for row in rows] == [ORDER]


@pytest.mark.parametrize(("name", "reason", "status"), [
    ("ingest/ingest-saved/9", "DEAD_LETTER_UNKNOWN", 1),
    ("elsewhere/ingest-saved/1", "DEAD_LETTER_UNKNOWN", 1),
    ("nonsense", "NAME_INVALID", 2),
])  # fmt: skip
async def test_a_name_that_is_none_says_so(url: str, pool: Pool, name: str, reason: str, status: int) -> None:
    found, (row,) = await command(url, "show", name)
    assert (found, row["error"]["reason"]) == (status, reason)  # type: ignore[index]


async def test_a_database_that_is_away_says_so(url: str) -> None:
    away = psycopg.conninfo.conninfo_to_dict(url)
    status, (row,) = await command(f"postgresql://x:y@127.0.0.1:1/{away['dbname']}", "list")
    assert (status, row["error"]["reason"]) == (1, "DATABASE_UNREACHABLE")  # type: ignore[index]
