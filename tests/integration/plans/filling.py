"""Tables with 100,000 rows each, none of which is due."""

from collections.abc import Mapping, Sequence

import psycopg

ROWS = 100_000

Overrides = Mapping[str, Mapping[str, str]]
"""SQL for columns whose values matter, of the row number n, by table and column."""

_VALUES = {
    "text": "'c' || n",
    "uuid": "lpad(to_hex(n), 32, '0')::uuid",
    "timestamp with time zone": "now() + interval '10 days' + n * interval '1 second'",
    "bigint": "n",
    "integer": "1",
    "boolean": "false",
    "bytea": "decode(repeat('00', 200), 'hex')",
    "jsonb": "'{}'::jsonb",
    "ARRAY": "'{}'",
}
_COLUMNS = """
    SELECT table_name, column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND is_identity = 'NO' AND is_generated = 'NEVER' AND table_name = ANY(%s)
    ORDER BY table_name, ordinal_position
"""


async def fill(url: str, tables: Sequence[str], overrides: Overrides) -> None:
    """Fill tables; constraints between them are not looked at.

    Args:
        url: Of the database, as a superuser.
        tables: Their names.
        overrides: What is not just any value.
    """
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("SET synchronous_commit = off")
        columns: dict[str, dict[str, str]] = {}
        for table, column, kind in await (await connection.execute(_COLUMNS, (list(tables),))).fetchall():
            columns.setdefault(table, {})[column] = overrides.get(table, {}).get(column, _VALUES[kind])
        for table, values in columns.items():
            names, chosen = ", ".join(values), ", ".join(values.values())
            statement = f"INSERT INTO {table} ({names}) SELECT {chosen} FROM generate_series(1, {ROWS}) AS n"
            await connection.execute(statement.encode())
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE")
