"""Objects of a cell: what is in its buckets, and what its rows speak of."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from minio import Minio

from deploy.provision.object_store import Endpoint
from tests.cluster.harness import database
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.models import forwarded
from tests.cluster.harness.programs import Cluster

_NAMED: Final[Mapping[str, tuple[str, str]]] = {
    "media": ("ingest", "segment"),
    "previews": ("analysis", "previews"),
    "renditions": ("suggestion", "rendition"),
}


@contextmanager
def opened(cell: Cluster, credentials: Credentials, scratch: Path) -> Iterator[Minio]:
    """Yield a client of the store that may do everything."""
    authority = scratch / "objects.pem"
    authority.write_bytes(credentials.platform.certificate)
    with forwarded(cell, "service/object-store", 9000) as port:
        endpoint = Endpoint(f"https://localhost:{port}", ca_file=authority)
        with endpoint.connection(credentials.administrator) as (store, _):
            yield store


def kept(cell: Cluster, credentials: Credentials, scratch: Path) -> Mapping[str, set[str]]:
    """Return the names of all objects, by bucket."""
    with opened(cell, credentials, scratch) as store:
        return {
            bucket: {str(each.object_name) for each in store.list_objects(bucket, recursive=True)} for bucket in _NAMED
        }


def named(cell: Cluster) -> Mapping[str, set[str]]:
    """Return the names of all objects that rows speak of, by bucket."""
    return {
        bucket: {name for (name,) in database.select(cell, service, f"SELECT DISTINCT object FROM {table}")}
        for bucket, (service, table) in _NAMED.items()
    }
