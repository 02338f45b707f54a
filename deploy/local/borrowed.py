"""Servers of a stack borrowed for an operator's command: those that run, or some of them for the time of it."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from deploy.declarations import SERVICES
from deploy.local.credentials import Passwords
from deploy.local.daemon import running_state
from deploy.local.errors import StackError
from deploy.local.home import StackHome
from deploy.local.leftovers import remove_leftovers
from deploy.local.lock import locked
from deploy.local.parts.lifecycle import running
from deploy.local.parts.object_store import ObjectStoreChoice, identity_names
from deploy.local.plan import make_plan
from deploy.local.settings import DEFAULTS
from deploy.provision.object_store import Identity

STORES = ("seaweedfs", "minio")


@dataclass(frozen=True)
class Servers:
    """Where the servers are, and who may use them.

    Attributes:
        databases: URL of each service's database, with the service's own role.
        store: `host:port` of the S3 server; empty if only the databases were asked for.
        identities: Who may use it, by service.
    """

    databases: Mapping[str, str]
    store: str
    identities: Mapping[str, Identity]


def running_servers(home: StackHome) -> Servers:
    """Return the servers of a stack that runs.

    Raises:
        StackError: NOT_RUNNING.
    """
    state = running_state(home)
    store = next(part.address or "" for part in state.parts if part.part in STORES)
    return _servers(home, state.address("postgres") or "", store)


@asynccontextmanager
async def borrowed_servers(home: StackHome, *, with_store: bool = True) -> AsyncIterator[Servers]:
    """Run the databases, and the object store if wanted, of a stack that does not run.

    Raises:
        StackError: ALREADY_RUNNING, or a server did not start.
    """
    os.umask(0o077)
    with locked(home):
        remove_leftovers(home)
        plan = make_plan(home, object_store_of(home), DEFAULTS)
        wanted = {"postgres", *(STORES if with_store else ())}
        parts = [unit.part for unit in plan.units if unit.part.name in wanted]
        try:
            async with AsyncExitStack() as stack:
                addresses = {part.name: (await stack.enter_async_context(running(part))).address for part in parts}
                store = next((addresses[name] for name in STORES if name in addresses), "")
                yield _servers(home, addresses["postgres"], store)
        finally:
            plan.ports.close()


@asynccontextmanager
async def any_databases(home: StackHome) -> AsyncIterator[Mapping[str, str]]:
    """Give the databases of a stack, whether it runs or not."""
    try:
        found = running_servers(home)
    except StackError as error:
        if error.reason != "NOT_RUNNING":
            raise
        async with borrowed_servers(home, with_store=False) as servers:
            yield servers.databases
    else:
        yield found.databases


def object_store_of(home: StackHome) -> ObjectStoreChoice:
    """Return the S3 server that has a stack's objects."""
    chosen = home.object_store
    return "minio" if chosen.exists() and chosen.read_text(encoding="ascii") == "minio" else "seaweedfs"


def _servers(home: StackHome, postgres: str, store: str) -> Servers:
    databases = {name: f"postgres-{name}" for name in SERVICES}
    identities = {name: f"s3-{name}" for name in identity_names()}
    passwords = Passwords.ensure(home, [*databases.values(), *identities.values()])
    return Servers(
        {name: f"postgresql://{name}:{passwords.of(entry)}@{postgres}/{name}" for name, entry in databases.items()},
        store,
        {name: Identity(name, passwords.of(entry)) for name, entry in identities.items()},
    )
