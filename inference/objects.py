"""Objects of one bucket: where engines and whole model repositories are kept for other machines.

What a bucket holds is never written over: an object is named by what is in it, and what commits it is written once,
unless it is there (`If-None-Match: *`), so that of two writers the first wins.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from inference.model_build.errors import ObjectMissing, SettingMissing, StoreUnavailable

_TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=120.0)
_URL_LIFE: Final = timedelta(hours=1)
_REGION: Final = "us-east-1"  # what servers take that know no regions
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchObject"})
_PRECONDITION_FAILED: Final = 412
DEFAULT_BUCKET: Final = "models"
_SETTINGS: Final = ("PELLICULE_S3_ENDPOINT", "PELLICULE_S3_ACCESS_KEY", "PELLICULE_S3_SECRET_KEY")


@dataclass(frozen=True)
class Bucket:
    """A bucket, and the way to it.

    Attributes:
        endpoint: http(s)://host:port of the S3 server.
        access_key: of the account.
        secret_key: of the account.
        name: the bucket, which has to be there.
        prefix: what every name begins with; empty where the bucket is ours alone.
        region: of the bucket.
        ca_file: certificates that the server is checked against; the machine's own when it is left out.
    """

    endpoint: str
    access_key: str
    secret_key: str
    name: str
    prefix: str
    region: str = _REGION
    ca_file: Path | None = None


def bucket_of(environment: Mapping[str, str], name: str, prefix: str = "") -> Bucket:
    """Return a bucket that the environment shows the way to.

    Args:
        environment: `PELLICULE_S3_...`, as the services read them.
        name: the bucket.
        prefix: what every name begins with.

    Raises:
        SettingMissing: it does not say all that is needed.
    """
    missing = [setting for setting in _SETTINGS if not environment.get(setting)]
    if missing:
        raise SettingMissing(f"set {', '.join(missing)} to reach the object store", field=missing[0])
    endpoint, access_key, secret_key = (environment[setting] for setting in _SETTINGS)
    region, authority = environment.get("PELLICULE_S3_REGION") or _REGION, environment.get("PELLICULE_S3_CA_FILE")
    return Bucket(endpoint, access_key, secret_key, name, prefix, region, Path(authority) if authority else None)


class Objects:
    """Objects under the prefix of a bucket, by their names below it; not for use by two threads at a time.

    Every method raises `StoreUnavailable` when the store does not answer, or refuses.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._http = _pool(bucket.ca_file)
        endpoint = urlsplit(bucket.endpoint)
        self._client = Minio(
            endpoint=endpoint.netloc,
            access_key=bucket.access_key,
            secret_key=bucket.secret_key,
            secure=endpoint.scheme == "https",
            region=bucket.region,
            http_client=self._http,
        )

    @property
    def place(self) -> str:
        """The bucket's name, for messages."""
        return self._bucket.name

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()

    def names(self, below: str) -> list[str]:
        """Return the names that begin with some letters."""
        with self._answers():
            listed = self._client.list_objects(self.place, prefix=self._name(below), recursive=True)
            return [str(item.object_name).removeprefix(self._name("")) for item in listed]

    def read(self, name: str) -> bytes | None:
        """Return what a small object holds; None when it is not there."""
        try:
            with self._answers(), closing(self._client.get_object(self.place, self._name(name))) as response:
                return bytes(response.read())
        except ObjectMissing:
            return None

    def download(self, name: str, path: Path) -> None:
        """Write an object into a file.

        Raises:
            ObjectMissing: it is not there.
        """
        with self._answers():
            self._client.fget_object(self.place, self._name(name), str(path))

    def upload(self, path: Path, name: str) -> None:
        """Make an object of a file."""
        with self._answers():
            self._client.fput_object(self.place, self._name(name), str(path))

    def remove(self, name: str) -> None:
        """Remove an object."""
        with self._answers():
            self._client.remove_object(self.place, self._name(name))

    def commit(self, name: str, data: bytes) -> bool:
        """Make an object unless there is one of the name; return whether it was made."""
        # A presigned request, because the client's own puts take no conditions.
        with self._answers():
            url = self._client.get_presigned_url("PUT", self.place, self._name(name), expires=_URL_LIFE)
            response = self._http.request("PUT", url, body=data, headers={"If-None-Match": "*"}, retries=False)
        if response.status not in (200, _PRECONDITION_FAILED):
            raise StoreUnavailable(f"the store refused {name}: {response.status} {response.reason}", field=name)
        return response.status == 200

    def _name(self, name: str) -> str:
        return f"{self._bucket.prefix}/{name}" if self._bucket.prefix else name

    @contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            yield
        except S3Error as error:
            if error.code in _MISSING:
                raise ObjectMissing(f"{error.object_name} is gone; publish it anew", field=self.place) from error
            raise StoreUnavailable(f"{self._bucket.endpoint} refuses: {error.code}", field=self.place) from error
        except (MinioException, HTTPError, ConnectionError) as error:
            raise StoreUnavailable(f"{self._bucket.endpoint} does not answer: {error}", field="endpoint") from error


def _pool(ca_file: Path | None) -> urllib3.PoolManager:
    retries = urllib3.Retry(total=3, backoff_factor=0.2)
    if ca_file is None:
        return urllib3.PoolManager(timeout=_TIMEOUT, retries=retries)
    return urllib3.PoolManager(timeout=_TIMEOUT, retries=retries, cert_reqs="CERT_REQUIRED", ca_certs=str(ca_file))
