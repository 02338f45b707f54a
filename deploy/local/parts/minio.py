"""MinIO, built once from source: the other S3 server, with the same identities and rights."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.declarations import BUCKETS, own_rights
from deploy.local.parts.lifecycle import running
from deploy.local.parts.minio_program import minio_program
from deploy.local.parts.object_store import (
    ADMINISTRATOR,
    REGION,
    Identity,
    StoreProbe,
    connection,
    make_buckets,
    new_identities,
)
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.process import Command, ServerProcess

if TYPE_CHECKING:
    from minio import MinioAdmin

_LIST_ACTIONS = ("s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads")
_LIFECYCLE_ACTIONS = ("s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration")
_READ_ACTIONS = ("s3:GetObject", "s3:GetObjectTagging")
_WRITE_ACTIONS = (
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:PutObjectTagging",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)


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
        from minio import MinioAdmin
        from minio.credentials import StaticProvider

        administrator = self._identities[ADMINISTRATOR]
        credentials = StaticProvider(access_key=administrator.access_key, secret_key=administrator.secret_key)
        with connection(self.address, administrator) as (_, http):
            admin = MinioAdmin(
                endpoint=self.address, credentials=credentials, region=REGION, secure=False, http_client=http
            )
            for name, identity in self._identities.items():
                if name != ADMINISTRATOR:
                    _make_user(admin, name, identity)

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


def _make_user(admin: "MinioAdmin", name: str, identity: Identity) -> None:
    """Add or updates a user: every step replaces what is there."""
    admin.user_add(access_key=identity.access_key, secret_key=identity.secret_key)
    admin.policy_add(policy_name=name, policy=policy(name).document())
    attached = json.loads(admin.user_info(access_key=identity.access_key)).get("policyName", "")
    if name not in attached.split(","):
        admin.attach_policy(policies=[name], user=identity.access_key)


@dataclass(frozen=True)
class Statement:
    """Actions that are allowed on resources."""

    actions: Sequence[str]
    resources: Sequence[str]


@dataclass(frozen=True)
class Policy:
    """What a user may do."""

    statements: Sequence[Statement]

    def document(self) -> Mapping[str, object]:
        """Return the policy as S3 servers read it."""
        return {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": list(each.actions), "Resource": list(each.resources)}
                for each in self.statements
            ],
        }


def policy(service: str) -> Policy:
    """Return the rights of a service: the same as SeaweedFS gives it."""
    rights = own_rights(service)
    buckets = [f"arn:aws:s3:::{bucket}" for bucket in (*rights.owns, *rights.reads)]
    own = [f"arn:aws:s3:::{bucket}" for bucket in rights.owns]
    allowed = [
        Statement(_LIST_ACTIONS, buckets),
        Statement(_READ_ACTIONS, [f"{bucket}/*" for bucket in buckets]),
        Statement(_LIFECYCLE_ACTIONS, own),
        Statement(_WRITE_ACTIONS, [f"{bucket}/*" for bucket in own]),
    ]
    return Policy([statement for statement in allowed if statement.resources])


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
