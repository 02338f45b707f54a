"""What both S3 servers of a stack have in common: identities, and a probe by a real object."""

import io
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy.local.roster import ROSTER

if TYPE_CHECKING:
    import urllib3
    from minio import Minio

ADMINISTRATOR = "administrator"
REGION = "us-east-1"
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


@contextmanager
def connection(address: str, identity: Identity) -> Iterator[tuple["Minio", "urllib3.PoolManager"]]:
    """Yields a client that gives up at once (whoever waits for readiness asks again), and its connections."""
    import urllib3
    from minio import Minio

    http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=10), retries=False)
    store = Minio(
        address,
        access_key=identity.access_key,
        secret_key=identity.secret_key,
        secure=False,
        region=REGION,
        http_client=http,
    )
    try:
        yield store, http
    finally:
        http.clear()


def put_and_get(address: str, administrator: Identity) -> bool:
    """Writes an object and says whether it can be read again as it was."""
    from minio.error import MinioException
    from urllib3.exceptions import HTTPError

    content = secrets.token_bytes(16)
    with connection(address, administrator) as (store, _):
        try:
            _make_missing(store, (PROBE_BUCKET,))
            store.put_object(PROBE_BUCKET, "probe", io.BytesIO(content), len(content))
            return read(store, PROBE_BUCKET, "probe") == content
        except (MinioException, HTTPError, OSError):
            return False


def read(store: "Minio", bucket: str, name: str) -> bytes:
    """Returns the content of an object."""
    response = store.get_object(bucket, name)
    try:
        return bytes(response.read())
    finally:
        response.close()
        response.release_conn()


def make_buckets(address: str, administrator: Identity, buckets: Sequence[str]) -> None:
    """Makes the buckets that are not there."""
    with connection(address, administrator) as (store, _):
        _make_missing(store, buckets)


def _make_missing(store: "Minio", buckets: Sequence[str]) -> None:
    for bucket in buckets:
        if not store.bucket_exists(bucket):
            store.make_bucket(bucket)
