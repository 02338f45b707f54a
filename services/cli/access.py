"""Access of a command about photos: to the services of a session, or to the stack that runs on this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path

from services.cli.client import Access, Services, connect
from services.cli.options import ME
from services.cli.session import SESSION, session_access


def access_of(subject: str) -> Access:
    """Return what a person needs to call the services."""
    session = os.environ.get(SESSION)
    if session:
        return session_access(Path(session), subject, unless=ME)
    # Where a session is used, what runs a stack on one machine may not be installed.
    from services.cli.stack.access import local_access

    return local_access(subject)


def run_connected(work: Callable[[Services], Coroutine[None, None, None]], subject: str) -> None:
    """Run the work of a command on the services, as a person."""

    async def connected() -> None:
        async with connect(access_of(subject)) as services:
            await work(services)

    asyncio.run(connected())
