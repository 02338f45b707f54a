"""Object store parts: identities that both S3 servers have in common, and a probe by a real object."""

import io
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, TypeAlias

from deploy.declarations import DECLARATIONS
from deploy.provision.buckets import Buckets
from deploy.provision.differences import repair_all
from deploy.provision.object_store import Endpoint, Identity

if TYPE_CHECKING:
    import urllib3
    from minio import Minio

ObjectStoreChoice: TypeAlias = Literal["seaweedfs", "minio"]
"""The S3 servers that a stack can have."""

ADMINISTRATOR = "administrator"
REGION = "us-east-1"
PROBE_BUCKET = "probe"
"""Holds one object that is written and read again to see that the store works; no service may touch it."""
_WRITE_AGAIN_SECONDS = 300.0


def identity_names() -> Sequence[str]:
    """Return who has an identity: the administrator, and each service that stores objects."""
    return (ADMINISTRATOR, *(name for name, each in DECLARATIONS.items() if each.stores_objects))


def new_identities() -> Mapping[str, Identity]:
    """Make an identity, with a random secret, for each who has one."""
    return {name: Identity(name, secrets.token_urlsafe(24)) for name in identity_names()}


def endpoint(address: str) -> Endpoint:
    """Return where a store of this machine is."""
    return Endpoint(f"http://{address}", REGION)


def connection(address: str, identity: Identity) -> AbstractContextManager[tuple["Minio", "urllib3.PoolManager"]]:
    """Return a client that gives up at once (the one that waits for readiness asks again), and its connections."""
    return endpoint(address).connection(identity)


class StoreProbe:
    """Tells a store that works from one that does not by an object of its own.

    It is read each time, and written again now and then only: a store keeps a record of everything that was written.

    Args:
        address: `host:port` of the store.
        administrator: Who may write into the probe's bucket.
    """

    def __init__(self, address: str, administrator: Identity) -> None:
        self._address = address
        self._administrator = administrator
        self._content = b""
        self._written_at = float("-inf")

    def succeeds(self) -> bool:
        """Say whether the object can be read as it was written."""
        from minio.error import MinioException
        from urllib3.exceptions import HTTPError

        with connection(self._address, self._administrator) as (store, _):
            try:
                if time.monotonic() - self._written_at > _WRITE_AGAIN_SECONDS:
                    self._write(store)
                return read(store, PROBE_BUCKET, "probe") == self._content
            except (MinioException, HTTPError, OSError):
                self._written_at = float("-inf")
                return False

    def _write(self, store: "Minio") -> None:
        self._content = secrets.token_bytes(16)
        if not store.bucket_exists(PROBE_BUCKET):
            store.make_bucket(PROBE_BUCKET)
        store.put_object(PROBE_BUCKET, "probe", io.BytesIO(self._content), len(self._content))
        self._written_at = time.monotonic()


def read(store: "Minio", bucket: str, name: str) -> bytes:
    """Return the content of an object."""
    response = store.get_object(bucket, name)
    try:
        return bytes(response.read())
    finally:
        response.close()
        response.release_conn()


def make_buckets(address: str, administrator: Identity, buckets: Sequence[str]) -> None:
    """Make the buckets that are not there, and have them keep nothing that is deleted."""
    with connection(address, administrator) as (store, _):
        repair_all(Buckets(store, buckets).differences())
