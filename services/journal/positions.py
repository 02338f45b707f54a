"""Positions: how far a service's database has seen the journal, in the database itself."""

from services.chassis.database import Connection, Pool
from services.journal.record import Position

_COLUMNS = "journal, number, digest"


class Positions:
    """Statements on `journal_position`, a table of one row."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self) -> Position | None:
        """Return the position; None before the first record."""
        async with self._pool.connection() as connection:
            return await read_position(connection)

    async def advance(self, position: Position) -> None:
        """Write a position down unless the database is further on in the same journal."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                INSERT INTO journal_position AS present (journal, number, digest)
                VALUES (%(journal)s, %(number)s, %(digest)s)
                ON CONFLICT (one) DO UPDATE SET journal = excluded.journal, number = excluded.number,
                    digest = excluded.digest
                WHERE present.journal <> excluded.journal OR present.number < excluded.number
                """,
                _values(position),
            )

    async def forget(self) -> None:
        """Delete the position: the journal is replayed from its beginning."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM journal_position")


async def read_position(connection: Connection) -> Position | None:
    """Return the position that a connection's database has seen."""
    cursor = await connection.execute(f"SELECT {_COLUMNS} FROM journal_position")  # noqa: S608
    row = await cursor.fetchone()
    return None if row is None else Position(*row)


async def follow_on(connection: Connection, before: int, position: Position) -> bool:
    """Advance by a record of this database's own if it has seen all before it, and tell whether it has."""
    cursor = await connection.execute(
        """
        UPDATE journal_position SET number = %(number)s, digest = %(digest)s
        WHERE journal = %(journal)s AND number = %(before)s
        """,
        {**_values(position), "before": before},
    )
    return cursor.rowcount == 1


def _values(position: Position) -> dict[str, object]:
    return {"journal": position.journal, "number": position.number, "digest": position.digest}
