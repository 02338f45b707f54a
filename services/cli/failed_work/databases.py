"""Databases in which services keep what failed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import psycopg

from deploy.declarations import SERVICES
from services.chassis.failed_work.overview import FailedWorkTable
from services.cli.output import CommandFailed

_CONNECT_SECONDS = 10


def database_urls(given: str) -> Mapping[str, str]:
    """Return the URL of each service's database: of the stack on this machine, or the one that is given."""
    if given:
        return {urlsplit(given).path.strip("/"): given}
    # In a pod there is no stack on this machine, nor what one is made of.
    from deploy.local import daemon
    from deploy.local.credentials import Passwords
    from deploy.local.home import default_home
    from services.cli.stack.failures import stack_failures

    with stack_failures():
        home = default_home()
        address = daemon.running_state(home).address("postgres")
        passwords = Passwords.ensure(home, [])
    return {name: f"postgresql://{name}:{passwords.of(f'postgres-{name}')}@{address}/{name}" for name in SERVICES}


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[FailedWorkTable]:
    """Connect to a database for the length of the block.

    Raises:
        CommandFailed: DATABASE_UNREACHABLE.
    """
    try:
        connecting = psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
        async with await connecting as connection:
            yield FailedWorkTable(connection)
    except psycopg.OperationalError as error:
        name = urlsplit(url).path.strip("/")
        message = f"the database of {name} does not answer; look at `pellicule status`"
        raise CommandFailed("DATABASE_UNREACHABLE", message, name) from error
