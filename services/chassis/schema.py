"""Schema of a service's database, as seen by a process that does not migrate: it waits until another one has."""

from collections.abc import Sequence
from pathlib import Path

import psycopg
import structlog
from psycopg import errors

from services.chassis.clock import Clock
from services.chassis.database import CHASSIS_MIGRATIONS
from services.chassis.settings import DatabaseSettings

WAIT_SECONDS = 300.0
"""How long a process waits for the migrations; its supervisor starts it again after that."""
_LOOK_SECONDS = 1.0
_CONNECT_SECONDS = 5

_log = structlog.stdlib.get_logger()


class SchemaBehind(Exception):
    """The database lacks what this process needs; the message says what, and who makes it."""


async def await_schema(
    settings: DatabaseSettings, migrations: Path, clock: Clock, *, wait_seconds: float = WAIT_SECONDS
) -> None:
    """Return once the database has every migration that this process knows; it may have later ones too.

    Args:
        settings: Where the database is.
        migrations: The service's own, beside those of the chassis.
        clock: Says when to look again.
        wait_seconds: How long to wait.

    Raises:
        SchemaBehind: it lacks one still, or does not answer.
    """
    known = known_migrations(migrations)
    end, told = clock.monotonic() + wait_seconds, ""
    while why := await _missing(settings, known):
        if clock.monotonic() >= end:
            raise SchemaBehind(f"{why} after {wait_seconds:.0f} s")
        if why != told:
            _log.warning("schema_awaited", reason=why)
            told = why
        await clock.sleep(_LOOK_SECONDS)


def known_migrations(migrations: Path) -> Sequence[str]:
    """Return the names of the files, the oldest first, each of which begins with its version."""
    files = [file for folder in (CHASSIS_MIGRATIONS, migrations) for file in folder.glob("*.sql")]
    return sorted(file.name for file in files)


async def _missing(settings: DatabaseSettings, known: Sequence[str]) -> str:
    """Return what stands in the way; nothing when nothing does."""
    try:
        applied = await _applied(settings)
    except psycopg.OperationalError:
        return "the database of PELLICULE_DATABASE_URL does not answer"
    lacking = [name for name in known if name.partition("_")[0] not in applied]
    if not lacking:
        return ""
    return (
        f"the database lacks the migration {lacking[0]}: run this service once with PELLICULE_ROLES=prepare"
        " from the same release"
    )


async def _applied(settings: DatabaseSettings) -> frozenset[str]:
    url = settings.database_url.get_secret_value()
    async with await psycopg.AsyncConnection.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
        try:
            cursor = await connection.execute("SELECT version FROM schema_migrations")
        except errors.UndefinedTable:
            return frozenset()
        return frozenset([str(version) for (version,) in await cursor.fetchall()])
