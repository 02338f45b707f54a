"""What both S3 servers of a stack have in common: identities, and a probe by a real object."""

import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import urllib3
from minio import Minio
from minio.error import MinioException

from deploy.local.roster import ROSTER

ADMINISTRATOR = "administrator"
PROBE_BUCKET = "probe"
"""Holds one object that is written and read again to see that the store works; no service may touch it."""


@dataclass(frozen=True)
class Identity:
    """Who asks the object store."""

    access_key: str
    secret_key: str = field(repr=False)


def identity_names() -> Sequence[str]:
    """Returns who has an identity: the administrator, and each service that stores objects."""
    return (ADMINISTRATOR, *(name for name, entry in ROSTER.items() if entry.stores_objects))


def new_identities() -> Mapping[str, Identity]:
    """Makes an identity, with a random secret, for each who has one."""
    return {name: Identity(name, secrets.token_urlsafe(24)) for name in identity_names()}


def client(address: str, identity: Identity) -> Minio:
    """Returns a client that gives up at once: whoever waits for readiness asks again."""
    http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=5), retries=False)
    return Minio(
        address,
        access_key=identity.access_key,
        secret_key=identity.secret_key,
        secure=False,
        region="us-east-1",
        http_client=http,
    )


def put_and_get(administrator: Minio) -> bool:
    """Writes an object and says whether it can be read again as it was."""
    content = secrets.token_bytes(16)
    try:
        make_buckets(administrator, (PROBE_BUCKET,))
        administrator.put_object(PROBE_BUCKET, "probe", io.BytesIO(content), len(content))
        response = administrator.get_object(PROBE_BUCKET, "probe")
        try:
            return bool(response.read() == content)
        finally:
            response.close()
            response.release_conn()
    except (MinioException, urllib3.exceptions.HTTPError, OSError):
        return False


def make_buckets(administrator: Minio, buckets: Sequence[str]) -> None:
    """Makes the buckets that are not there."""
    for bucket in buckets:
        if not administrator.bucket_exists(bucket):
            administrator.make_bucket(bucket)
