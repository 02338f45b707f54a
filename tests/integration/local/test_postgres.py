import os
import signal
from pathlib import Path

import psycopg
import pytest

from deploy.local.parts.lifecycle import bring_up, sweep
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.postgres import PostgresServer, postgres_server
from tests.integration.local.traces import is_listening, litter, processes_of_group

PASSWORDS = {"postgres": "correct-horse", "consent": "battery", "ingest": "staple"}


async def test_a_role_owns_its_database(tmp_path: Path) -> None:
    async with (
        postgres_server(tmp_path, ["consent"]) as server,
        await psycopg.AsyncConnection.connect(server.url("consent")) as connection,
    ):
        await connection.execute("CREATE TABLE decision (id bigint PRIMARY KEY)")
        answer = await (await connection.execute("SELECT current_user, current_database()")).fetchone()
    assert answer == ("consent", "consent")


async def test_a_start_that_was_ended_between_role_and_database_is_gone_on_with(tmp_path: Path) -> None:
    async with postgres_server(tmp_path, ["consent"]) as server:
        async with await psycopg.AsyncConnection.connect(server.url("postgres"), autocommit=True) as connection:
            await connection.execute("DROP DATABASE consent")
        await server.provision()
        async with await psycopg.AsyncConnection.connect(server.url("consent")) as connection:
            assert await (await connection.execute("SELECT current_database()")).fetchone() == ("consent",)


async def test_a_role_cannot_enter_the_database_of_another(tmp_path: Path) -> None:
    async with postgres_server(tmp_path, ["consent", "ingest"]) as server:
        elsewhere = server.url("consent").removesuffix("consent") + "ingest"
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            await psycopg.AsyncConnection.connect(elsewhere)


async def test_nobody_enters_without_the_password(tmp_path: Path) -> None:
    async with postgres_server(tmp_path, ["consent"]) as server:
        guessed = f"postgresql://consent:guess@{server.address}/consent"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            await psycopg.AsyncConnection.connect(guessed)


async def test_committed_rows_survive_a_killed_server(tmp_path: Path) -> None:
    port = ReservedPort()
    server = PostgresServer(data=tmp_path / "data", log=tmp_path / "log", port=port.number, passwords=PASSWORDS)
    process = await bring_up(server)
    async with await psycopg.AsyncConnection.connect(server.url("consent")) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(process.pid, signal.SIGKILL)
    await process.exited()
    process = await bring_up(server)
    async with await psycopg.AsyncConnection.connect(server.url("consent")) as connection:
        row = await (await connection.execute("SELECT answer FROM kept")).fetchone()
    await process.stop()
    sweep(server.litter())
    port.close()
    assert row == (42,)


async def test_a_stopped_server_leaves_nothing_behind(tmp_path: Path) -> None:
    port = ReservedPort()
    server = PostgresServer(data=tmp_path / "data", log=tmp_path / "log", port=port.number, passwords=PASSWORDS)
    process = await bring_up(server)
    copies = server.litter()
    await process.stop()
    sweep(copies)
    port.close()
    assert not processes_of_group(process.pid)
    assert not is_listening(server.address)
    assert not [found for pattern in copies for found in litter(pattern)]


async def test_the_data_directory_is_closed_to_everybody_else(tmp_path: Path) -> None:
    async with postgres_server(tmp_path, ["consent"]):
        mode = (tmp_path / "postgres").stat().st_mode & 0o777
    assert mode == 0o700
