"""PostgreSQL under TLS: this machine's own, or TLS in front of the one from the wheel, which is built without it."""

import asyncio
import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.local.parts.lifecycle import running
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.postgres import SUPERUSER, PostgresServer, postgres_server
from deploy.local.parts.postgres_files import Installation, data_directory, secret_file
from deploy.local.parts.process import Command
from tests.fakes.certificates import CertificateFiles
from tests.fakes.streams import listening

SYSTEM = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)
"""The server of this machine's own packages, which speak TLS."""
_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
_PASSWORD = "a-password"


class SystemPostgres(PostgresServer):
    """A server of this machine's own PostgreSQL, which knows fewer settings than the newest."""

    def _command(self, installation: Installation, name: str, descriptors: tuple[int, ...]) -> Command:
        settings = {"listen_addresses": LOOPBACK, "unix_socket_directories": ""}
        arguments = [f"--{key.replace('_', '-')}={value}" for key, value in settings.items()]
        return self._run("postgres", ("-D", name, "-p", str(self._port), *arguments), descriptors)

    def _make_cluster(self, installation: Installation) -> None:
        with (
            data_directory(self._data, self._account) as (name, descriptors),
            secret_file(_PASSWORD) as (secret_name, secret),
        ):
            options = ("-D", name, "-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={secret_name}")
            command = self._run("initdb", options, (*descriptors, secret))
            subprocess.run(command.launch_line(), cwd="/", pass_fds=command.descriptors, check=True)

    def _run(self, program: str, arguments: tuple[str, ...], descriptors: tuple[int, ...]) -> Command:
        assert SYSTEM is not None
        path = SYSTEM.with_name(program)
        account, log = self._account, self._log
        return Command(path, arguments, log=log, directory=Path("/"), account=account, descriptors=descriptors)


@asynccontextmanager
async def system_postgres(folder: Path, files: CertificateFiles, role: str) -> AsyncIterator[str]:
    """Run this machine's own server with `ssl=on`, and give the URL of a role."""
    port = ReservedPort()
    passwords = dict.fromkeys((SUPERUSER, role), _PASSWORD)
    data = folder / "postgres"
    server = SystemPostgres(data=data, log=folder / "postgres.log", port=port.number, passwords=passwords)
    try:
        async with running(server):
            for name, file in (("server.crt", files.certificate), ("server.key", files.key)):
                _hand_over(file, data / name, like=data)
            await _turn_on(server.url(SUPERUSER))
            yield server.url(role)
    finally:
        port.close()


@asynccontextmanager
async def fronted_postgres(folder: Path, files: CertificateFiles, role: str) -> AsyncIterator[str]:
    """Run the server from the wheel behind an end of TLS, and give the URL of a role."""
    async with postgres_server(folder, [role]) as server:
        front = _Front(server.address, files)
        async with listening(front.serve) as port:
            yield server.url(role).replace(server.address, f"{LOOPBACK}:{port}")


class _Front:
    """Ends TLS as PostgreSQL does: after a word in clear, on the same connection."""

    def __init__(self, address: str, files: CertificateFiles) -> None:
        self._address = address
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(files.certificate, files.key)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            assert await reader.readexactly(len(_SSL_REQUEST)) == _SSL_REQUEST
            writer.write(b"S")
            await writer.start_tls(self._context)
            await self._pass_on(reader, writer)
        writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self._address.rpartition(":")
        back_reader, back_writer = await asyncio.open_connection(host, int(port))
        ways = (asyncio.create_task(_copy(reader, back_writer)), asyncio.create_task(_copy(back_reader, writer)))
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            back_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(1 << 16):
        writer.write(piece)
        await writer.drain()


async def _turn_on(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for name, value in (("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key"), ("ssl", "on")):
            statement = sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
            await connection.execute(statement)
        await connection.execute("SELECT pg_reload_conf()")


def _hand_over(file: Path, to: Path, *, like: Path) -> None:
    """Give the server's account a copy that is readable for it alone."""
    shutil.copyfile(file, to)
    to.chmod(0o600)
    owner = like.stat()
    os.chown(to, owner.st_uid, owner.st_gid)
