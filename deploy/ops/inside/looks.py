"""Looks at a service's own database, consumers, buckets and journal, with the settings and rights of its pod."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import dict_row

from deploy.declarations import DECLARATIONS
from deploy.ops.inside.buckets import buckets
from deploy.ops.inside.certificates import certificates
from deploy.ops.inside.consumers import consumers
from services.chassis.settings import DatabaseSettings
from services.journal.settings import JournalSettings, journal_objects

Look: TypeAlias = Callable[[], Awaitable[Any]]

_CONNECT_SECONDS = 10
_FAILED = "SELECT (SELECT count(*) FROM dead_letter) AS dead_letters, (SELECT count(*) FROM set_aside) AS set_aside"
_POSITION = "SELECT journal, number AS position FROM journal_position"
_EPOCHS = """
    SELECT count(*) FILTER (WHERE destroy_time IS NULL) AS live,
        count(*) FILTER (WHERE destroy_time IS NULL AND make_time <= now() - interval '7 days 1 hour') AS overdue,
        extract(epoch FROM now() - max(make_time) FILTER (WHERE destroy_time IS NULL))::float AS age_seconds,
        (SELECT count(*) FROM journal_pending) AS unwritten,
        (SELECT count(*) FROM data_key WHERE delete_time <= now() - interval '1 hour') AS deadlines_overdue
    FROM epoch
"""
"""As retention's gauges count."""


def looks_of(service: str) -> Mapping[str, Look]:
    """Return the looks at a service, by their names."""
    declared = DECLARATIONS[service]
    looks: dict[str, Look] = {
        "failed": partial(_row, _FAILED),
        "journal": _journal,
        "certificates": partial(asyncio.to_thread, certificates),
    }
    if declared.hears or declared.works:
        looks["consumers"] = partial(consumers, service)
    if declared.owns:
        looks["buckets"] = partial(asyncio.to_thread, buckets, declared.owns)
    if declared.records:
        looks["epochs"] = partial(_row, _EPOCHS)
    return looks


async def _row(query: str) -> Mapping[str, Any] | None:
    url = DatabaseSettings().database_url.get_secret_value()
    async with await psycopg.AsyncConnection.connect(
        url, autocommit=True, connect_timeout=_CONNECT_SECONDS, row_factory=dict_row
    ) as connection:
        return await (await connection.execute(query.encode())).fetchone()


async def _journal() -> Mapping[str, Any]:
    """Return how far the database has seen the journal, and for how long the first of the others has been there."""
    objects = journal_objects(JournalSettings())
    row = await _row(_POSITION)
    seen = -1 if row is None else int(row["position"])
    newest, stored = await objects.newest(), await objects.store_time(seen + 1)
    waiting = None if stored is None else (datetime.now(UTC) - stored).total_seconds()
    return {"journal": None, "position": None, **(row or {}), "newest": newest, "unread_seconds": waiting}
