"""Client of an object store: who asks it, and where it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import urllib3
    from minio import Minio, MinioAdmin

_CONNECT_SECONDS, _READ_SECONDS = 2, 10


@dataclass(frozen=True)
class Identity:
    """Who asks the object store."""

    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Endpoint:
    """Where an object store is.

    Attributes:
        url: `http://host:port` or `https://...`.
        region: Its region.
        ca_file: Certificates that it is checked against; absent means those of public authorities.
    """

    url: str
    region: str = "us-east-1"
    ca_file: Path | None = None

    @contextmanager
    def connection(self, identity: Identity) -> Iterator[tuple["Minio", "urllib3.PoolManager"]]:
        """Yield a client that gives up at once (who waits for readiness asks again), and its connections."""
        from minio import Minio

        http = self._http()
        client = Minio(
            self._address,
            access_key=identity.access_key,
            secret_key=identity.secret_key,
            secure=self._secure,
            region=self.region,
            http_client=http,
        )
        try:
            yield client, http
        finally:
            http.clear()

    @contextmanager
    def administration(self, administrator: Identity) -> Iterator["MinioAdmin"]:
        """Yield a client of MinIO's own administration."""
        from minio import MinioAdmin
        from minio.credentials import StaticProvider

        http = self._http()
        credentials = StaticProvider(access_key=administrator.access_key, secret_key=administrator.secret_key)
        try:
            yield MinioAdmin(
                endpoint=self._address,
                credentials=credentials,
                region=self.region,
                secure=self._secure,
                http_client=http,
            )
        finally:
            http.clear()

    @property
    def _address(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def _secure(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    def _http(self) -> "urllib3.PoolManager":
        import urllib3

        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
        ca_certs = None if self.ca_file is None else str(self.ca_file)
        return urllib3.PoolManager(timeout=timeout, retries=False, cert_reqs="CERT_REQUIRED", ca_certs=ca_certs)
