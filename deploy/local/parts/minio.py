"""MinIO, built once from source: the other S3 server, with the same identities and rights."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.declarations import BUCKETS, own_rights
from deploy.local.parts.lifecycle import running
from deploy.local.parts.minio_program import minio_program
from deploy.local.parts.object_store import (
    ADMINISTRATOR,
    StoreProbe,
    endpoint,
    make_buckets,
    new_identities,
)
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.process import Command, ServerProcess
from deploy.provision.differences import repair_all
from deploy.provision.minio_identities import MinioIdentities
from deploy.provision.object_store import Identity


class MinioServer:
    """A MinIO server on loopback.

    Args:
        data: Its folder, made when it is not there.
        log: Its log file.
        port: The port reserved for it.
        identities: Who may use it, by name; the administrator and a service each.
    """

    name = "minio"

    def __init__(self, *, data: Path, log: Path, port: int, identities: Mapping[str, Identity]) -> None:
        self._data = data
        self._log = log
        self._port = port
        self._identities = identities
        self._probe = StoreProbe(self.address, identities[ADMINISTRATOR])

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{LOOPBACK}:{self._port}"

    def identity(self, name: str) -> Identity:
        """Return the identity of a service, or the administrator's."""
        return self._identities[name]

    async def start(self) -> ServerProcess:
        """Build the program if it never was, and start the server."""
        program = await asyncio.to_thread(minio_program)
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        return ServerProcess.start(self._command(program))

    async def probe(self) -> bool:
        """Read an object that was written a moment ago."""
        return await asyncio.to_thread(self._probe.succeeds)

    async def provision(self) -> None:
        """Make the buckets, the services' users and their policies."""
        await asyncio.to_thread(make_buckets, self.address, self._identities[ADMINISTRATOR], BUCKETS)
        await asyncio.to_thread(self._make_users)

    def litter(self) -> Sequence[str]:
        """Leaves nothing outside its folder."""
        return ()

    def _make_users(self) -> None:
        users = {name: identity for name, identity in self._identities.items() if name != ADMINISTRATOR}
        rights = {name: own_rights(name) for name in users}
        administrator = self._identities[ADMINISTRATOR]
        repair_all(MinioIdentities(endpoint(self.address), administrator, users, rights).differences())

    def _command(self, program: Path) -> Command:
        administrator = self._identities[ADMINISTRATOR]
        return Command(
            program,
            ("server", "--quiet", "--address", self.address, str(self._data)),
            log=self._log,
            directory=self._data,
            environment={
                "MINIO_ROOT_USER": administrator.access_key,
                "MINIO_ROOT_PASSWORD": administrator.secret_key,
                "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off",
                "MINIO_CALLHOME_ENABLE": "off",
                "MINIO_CONFIG_DIR": str(self._data),
                "MINIO_API_REQUESTS_MAX": "64",
                "MINIO_FS_OSYNC": "on",  # before it answers; without, the last names given to objects are lost
                "HOME": os.fspath(self._data),
            },
        )


@asynccontextmanager
async def minio_server(folder: Path) -> AsyncIterator[MinioServer]:
    """Run a MinIO server of its own, its data and log under `folder`, for as long as the block lasts."""
    port = ReservedPort()
    server = MinioServer(data=folder / "minio", log=folder / "minio.log", port=port.number, identities=new_identities())
    try:
        async with running(server):
            yield server
    finally:
        port.close()
