"""Copies of one service's database, taken and put back while the services go on, as a restore or a failover does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from deploy.local.parts.postgres import SUPERUSER
from tests.e2e.harness import RunningStack

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'"
_SEQUENCES = "SELECT sequencename, coalesce(last_value, start_value) FROM pg_sequences WHERE schemaname = 'public'"
_END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class DatabaseCopy:
    """All rows of a service's database at one moment."""

    service: str
    rows: Mapping[str, bytes]
    sequences: Mapping[str, int]


def copied(stack: RunningStack, service: str) -> DatabaseCopy:
    """Return what a backup program would write."""
    with _connected(stack, service) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        tables = [str(name) for (name,) in connection.execute(_TABLES.encode()).fetchall()]
        sequences = {str(name): int(str(last)) for name, last in connection.execute(_SEQUENCES.encode()).fetchall()}
        return DatabaseCopy(service, {table: _read(connection, table) for table in tables}, sequences)


def put_back(stack: RunningStack, copy: DatabaseCopy) -> None:
    """Put a copy in the place of what is there: its triggers rest, and every connection but this one ends."""
    tables = sql.SQL(", ").join(map(sql.Identifier, copy.rows))
    with _connected(stack, copy.service) as connection:
        with connection.transaction():
            connection.execute(_END_OTHERS.encode())
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(tables))
            for table, rows in copy.rows.items():
                statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
                with connection.cursor().copy(statement) as stream:
                    stream.write(rows)
            for sequence, value in copy.sequences.items():
                connection.execute("SELECT setval(%s::regclass, %s)", [sequence, value])
        connection.execute(_END_OTHERS.encode())


def _read(connection: psycopg.Connection[tuple[object, ...]], table: str) -> bytes:
    statement = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
    with connection.cursor().copy(statement) as stream:
        return b"".join(bytes(chunk) for chunk in stream)


def _connected(stack: RunningStack, service: str) -> psycopg.Connection[tuple[object, ...]]:
    password = json.loads(stack.home.secrets.read_text())[f"postgres-{SUPERUSER}"]
    host, port = stack.address("postgres").split(":")
    return psycopg.connect(host=host, port=int(port), user=SUPERUSER, password=password, dbname=service)
