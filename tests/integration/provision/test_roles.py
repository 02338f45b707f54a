"""Roles and databases, on a real PostgreSQL: made, kept as declared, by a superuser or by one who is none."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg.conninfo import make_conninfo

from deploy.local.parts.postgres import PostgresServer, postgres_server
from deploy.provision.differences import Difference, repair, repair_all
from deploy.provision.postgres import RolesAndDatabases

PASSWORDS = {"consent": "battery'staple", "ingest": "correct horse"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("postgres")


@pytest.fixture(scope="module")
def log(folder: Path) -> Path:
    return folder / "postgres.log"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(folder: Path) -> AsyncIterator[PostgresServer]:
    async with postgres_server(folder, roles=()) as server:
        yield server


@pytest.fixture
def superuser(server: PostgresServer) -> Iterator[str]:
    """Give a server's superuser; another who came in goes."""
    administrator = server.url("postgres")
    yield administrator
    run(administrator, "GRANT CONNECT, TEMPORARY ON DATABASE postgres TO PUBLIC", "DROP ROLE IF EXISTS reader")


@pytest.fixture
def made(superuser: str) -> str:
    repair_all(declared(superuser).differences())
    return superuser


@pytest.fixture
def empty(superuser: str) -> Iterator[str]:
    """Give the superuser of a server that has nothing of what is declared."""
    drop_all(superuser)
    yield superuser
    drop_all(superuser)


def drop_all(administrator: str) -> None:
    run(administrator, *(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in PASSWORDS))
    run(administrator, *(f"DROP ROLE IF EXISTS {name}" for name in (*PASSWORDS, "maker")))


def declared(administrator: str, passwords: Mapping[str, str] = PASSWORDS) -> RolesAndDatabases:
    return RolesAndDatabases(administrator, passwords)


def run(administrator: str, *statements: str) -> None:
    with psycopg.connect(administrator, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def said(differences: Iterator[Difference]) -> list[str]:
    return [f"{each.subject} {each.wrong}" for each in differences]


def enter(administrator: str, role: str, password: str, database: str) -> str:
    """Return why a role does not get into a database; empty when it does."""
    try:
        psycopg.connect(make_conninfo(administrator, user=role, password=password, dbname=database)).close()
    except psycopg.OperationalError as error:
        return str(error)
    return ""


def test_what_is_missing_is_made_and_then_nothing_differs(empty: str) -> None:
    found = said(repair(declared(empty).differences()))

    assert found[:2] == ["role consent is not there", "database consent is not there"]
    assert said(declared(empty).differences()) == []


def test_a_role_enters_its_own_database_and_no_other(made: str) -> None:
    doors = {name: enter(made, "ingest", PASSWORDS["ingest"], name) for name in ("consent", "postgres", "template1")}

    assert enter(made, "ingest", PASSWORDS["ingest"], "ingest") == ""
    assert [name for name, refusal in doors.items() if "permission denied for database" not in refusal] == []


def test_a_role_makes_what_migrations_make(made: str) -> None:
    own = make_conninfo(made, user="ingest", password=PASSWORDS["ingest"], dbname="ingest")

    run(own, "CREATE TABLE media (id uuid PRIMARY KEY)", "CREATE INDEX ON media (id)", "DROP TABLE media")


DRIFTS = {
    "ALTER ROLE ingest SUPERUSER": "role ingest is not NOSUPERUSER",
    "ALTER ROLE ingest CREATEDB CREATEROLE": "role ingest is not NOCREATEDB, NOCREATEROLE",
    "ALTER ROLE ingest REPLICATION BYPASSRLS": "role ingest is not NOREPLICATION, NOBYPASSRLS",
    "ALTER ROLE ingest NOLOGIN": "role ingest is not LOGIN",
    "GRANT pg_read_all_data TO ingest": "role ingest is a member of pg_read_all_data",
    "GRANT consent TO ingest": "role ingest is a member of consent",
    "ALTER DATABASE ingest OWNER TO postgres": "database ingest belongs to postgres",
    "GRANT CONNECT ON DATABASE ingest TO PUBLIC": "database ingest is open to PUBLIC",
    "GRANT CONNECT ON DATABASE consent TO ingest": "database consent is open to ingest",
    "GRANT CONNECT ON DATABASE postgres TO ingest": "database postgres is open to ingest",
    "ALTER ROLE ingest PASSWORD 'guessed'": "role ingest does not log in: password authentication failed",
    "ALTER ROLE ingest VALID UNTIL '2020-01-01'": "role ingest does not log in: password authentication failed",
    "DROP DATABASE ingest": "database ingest is not there",
}


@pytest.mark.parametrize("statement", DRIFTS)
def test_what_has_drifted_is_said_and_put_right(made: str, statement: str) -> None:
    run(made, statement)

    looked = said(declared(made).differences())
    repaired = said(repair(declared(made).differences()))

    # What is put right may put right what follows from it: a role that may not log in does not log in.
    assert set(repaired) <= set(looked)
    assert any(each.startswith(DRIFTS[statement]) for each in repaired)
    assert said(declared(made).differences()) == []


def test_a_membership_by_another_grantor_is_taken_back(made: str) -> None:
    run(made, "CREATE ROLE reader", "GRANT pg_monitor TO reader WITH ADMIN OPTION")
    run(made, "SET ROLE reader", "GRANT pg_monitor TO ingest")

    repair_all(declared(made).differences())

    assert said(declared(made).differences()) == []


def test_a_look_changes_nothing(empty: str) -> None:
    first, second = said(declared(empty).differences()), said(declared(empty).differences())

    assert first == second
    assert "role ingest is not there" in first


def test_a_password_that_changed_is_the_one_that_opens(made: str) -> None:
    repair_all(declared(made, {**PASSWORDS, "ingest": "new"}).differences())

    assert enter(made, "ingest", "new", "ingest") == ""
    assert "password authentication failed" in enter(made, "ingest", PASSWORDS["ingest"], "ingest")


def test_the_server_never_sees_a_password(log: Path, made: str) -> None:
    run(made, "ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()")
    repair_all(declared(made, {"ingest": "unmistakable"}).differences())
    run(made, "ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()")

    said_by_server = log.read_text()
    assert "ALTER ROLE" in said_by_server
    assert "unmistakable" not in said_by_server


def test_others_who_were_let_in_stay(made: str) -> None:
    run(made, "CREATE ROLE reader", "GRANT CONNECT ON DATABASE ingest TO reader")

    found = said(declared(made).differences())
    run(made, "REVOKE CONNECT ON DATABASE ingest FROM reader")

    assert found == []


def test_an_administrator_need_not_be_a_superuser(empty: str) -> None:
    run(empty, "CREATE ROLE maker LOGIN CREATEDB CREATEROLE PASSWORD 'maker'")
    maker = make_conninfo(empty, user="maker", password="maker")

    repair_all(declared(maker).differences())
    run(empty, "ALTER ROLE ingest CREATEDB PASSWORD 'guessed'", "GRANT CONNECT ON DATABASE ingest TO PUBLIC")
    repaired = said(repair(declared(maker).differences()))

    assert len(repaired) == 3
    assert said(declared(maker).differences()) == []
    assert enter(empty, "ingest", PASSWORDS["ingest"], "ingest") == ""
    assert "permission denied" in enter(empty, "ingest", PASSWORDS["ingest"], "consent")
