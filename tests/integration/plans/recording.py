"""Statements as the code sends them, and how PostgreSQL carries them out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

_PLANNED = ("SELECT", "WITH", "UPDATE", "DELETE", "INSERT")


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Any, Any]]]:
    """Take down every statement, with its parameters, that is sent within the block."""
    sent: list[tuple[Any, Any]] = []
    execute = psycopg.AsyncCursor.execute

    async def recording(cursor: psycopg.AsyncCursor[Any], query: Any, params: Any = None, **options: Any) -> Any:
        sent.append((query, params))
        return await execute(cursor, query, params, **options)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.AsyncCursor, "execute", recording)
        yield sent


async def sequential_scans(url: str, sent: Sequence[tuple[Any, Any]], tables: Sequence[str]) -> dict[str, set[str]]:
    """Return the statements that read any of these tables from end to end, each with the tables that it reads so."""
    found: dict[str, set[str]] = {}
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = psycopg.AsyncClientCursor(connection)
        # Samples of the same rows differ, and near a tie the plan with them: what is read so now has no index.
        await cursor.execute("SET enable_seqscan = off")
        for query, params in sent:
            statement = cursor.mogrify(query, params) if params is not None else _text(query)
            if statement.strip().upper().startswith(_PLANNED):
                await cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}".encode())
                ((plans,),) = await cursor.fetchall()
                if scanned := set(_scanned(plans[0]["Plan"])) & set(tables):
                    found[" ".join(statement.split())] = scanned
    return found


def _text(query: Any) -> str:
    return query.decode() if isinstance(query, bytes) else str(query)


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from _scanned(inner)
