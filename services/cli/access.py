"""Access of a command about photos to the stack that runs on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta

from deploy.local import daemon
from deploy.local.home import default_home
from deploy.local.leftovers import is_running
from services.cli.client import Access, Services, connect
from services.cli.stack.failures import stack_failures
from services.cli.stack.token import local_token, public_addresses

_TOKEN_LIFE = timedelta(hours=12)


def access_of(subject: str) -> Access:
    """Return what a person needs to call the stack that runs here."""
    with stack_failures():
        home = default_home()
        state = daemon.running_state(home)
    return Access(
        addresses=public_addresses(state),
        ca_certificate=home.authority.read_bytes(),
        token=local_token(home, subject, ttl=_TOKEN_LIFE, settings=state.settings),
        stack_runs=lambda: is_running(state.supervisor),
    )


def run_connected(work: Callable[[Services], Coroutine[None, None, None]], subject: str) -> None:
    """Run the work of a command on the services, as a person."""

    async def connected() -> None:
        async with connect(access_of(subject)) as services:
            await work(services)

    asyncio.run(connected())
