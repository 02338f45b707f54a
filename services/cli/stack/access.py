"""Access to the stack that runs on this machine, which signs its persons' tokens itself."""

from __future__ import annotations

from datetime import timedelta

from deploy.local import daemon
from deploy.local.home import default_home
from deploy.local.leftovers import is_running
from services.cli.client import Access
from services.cli.stack.failures import stack_failures
from services.cli.stack.token import local_token, public_addresses

_TOKEN_LIFE = timedelta(hours=12)


def local_access(subject: str) -> Access:
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
