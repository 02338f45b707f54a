"""Owners of what the journal says was destroyed, as a service's own tables know them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.chassis.database import Pool

KeysOfPersons: TypeAlias = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class OwnerTables:
    """Where a service notes keys and persons, as SQL.

    Attributes:
        keys: Selects of (subject, key): rows that name a data key.
        revisions: Selects of (subject, purpose, revision): rows made under a purpose key.
        persons: Selects of (subject): tables with all persons of whom the service has anything.
    """

    keys: tuple[str, ...]
    revisions: tuple[str, ...]
    persons: tuple[str, ...]


class Owners:
    """Statements that find out whose is what was destroyed."""

    def __init__(self, pool: Pool, tables: OwnerTables) -> None:
        self._pool = pool
        self._tables = tables

    async def of_data_keys(self, ids: Collection[str]) -> KeysOfPersons:
        """Return those of the data keys that rows here name, by person."""
        statement = f"""
            SELECT subject, array_agg(DISTINCT key::text) FROM ({_all(self._tables.keys)}) AS named (subject, key)
            WHERE key = ANY(%(ids)s::uuid[]) GROUP BY subject
        """  # noqa: S608
        return dict(await self._rows(statement, {"ids": list(ids)}))

    async def of_purpose_keys(self, revisions: Collection[int]) -> list[tuple[str, str, int]]:
        """Return persons and purposes of rows made under purpose keys, with the keys' fencing numbers."""
        statement = f"""
            SELECT DISTINCT subject, purpose, revision
            FROM ({_all(self._tables.revisions)}) AS made (subject, purpose, revision)
            WHERE revision = ANY(%(revisions)s::bigint[])
        """  # noqa: S608
        return await self._rows(statement, {"revisions": list(revisions)})

    async def of_tags(self, salt: str, tags: Collection[str]) -> Mapping[str, str]:
        """Return the persons known here that tags stand for (`entries.person_tag`)."""
        statement = f"""
            SELECT tag, subject FROM (
                SELECT left(encode(sha256(convert_to(%(salt)s || subject, 'UTF8')), 'hex'), 32) AS tag, subject
                FROM ({" UNION ".join(self._tables.persons)}) AS known (subject)
            ) AS tagged WHERE tag = ANY(%(tags)s)
        """  # noqa: S608
        return dict(await self._rows(statement, {"salt": salt, "tags": list(tags)}))

    async def _rows(self, statement: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(statement.encode(), parameters)
            return await cursor.fetchall()


def _all(selects: Sequence[str]) -> str:
    return " UNION ALL ".join(selects)
