"""Engines in a bucket: `<prefix>/<key>/<SHA-256 of the plan>.plan`, and `manifest.json` beside it, which commits it.

Plans are named by what they hold, so that two nodes that build one key never write over each other, and a manifest is
written once and never over another one (`If-None-Match: *`): the first node to finish wins. A plan that no manifest
names is no engine, and the next node to publish the key removes it.
"""

from collections.abc import Iterable, Iterator
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

from inference.engines.committed import plan_folder, verify
from inference.engines.errors import EngineDamaged, EngineMissing, StoreUnavailable
from inference.engines.manifest import MANIFEST_FILE, PLAN_FILE, Engine, parse_manifest, read_manifest
from inference.folders import alone, file_digest, move_into_place, scratch_folder

_TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=120.0)
_URL_LIFE: Final = timedelta(hours=1)
_REGION: Final = "us-east-1"  # what servers take that know no regions
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchObject"})
_PRECONDITION_FAILED: Final = 412


@dataclass(frozen=True)
class Bucket:
    """Where engines are kept.

    Attributes:
        endpoint: http(s)://host:port of the S3 server.
        access_key: of the account.
        secret_key: of the account.
        name: the bucket, which has to be there.
        prefix: what every name begins with.
    """

    endpoint: str
    access_key: str
    secret_key: str
    name: str
    prefix: str = "engines"


class EngineStore:
    """Bucket of engines, and the home on this machine; not for use by two threads at a time.

    Every call raises `StoreUnavailable` when the store does not answer, or refuses.
    """

    def __init__(self, bucket: Bucket, home: Path) -> None:
        self._bucket, self._home = bucket, home
        self._http = urllib3.PoolManager(timeout=_TIMEOUT, retries=urllib3.Retry(total=3, backoff_factor=0.2))
        endpoint = urlsplit(bucket.endpoint)
        self._client = Minio(
            endpoint=endpoint.netloc,
            access_key=bucket.access_key,
            secret_key=bucket.secret_key,
            secure=endpoint.scheme == "https",
            region=_REGION,
            http_client=self._http,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()

    def publish(self, key: str) -> bool:
        """Upload a committed engine, its manifest last; return whether it is new there.

        Raises:
            EngineError: as `verify` does.
        """
        engine, folder = verify(self._home, key), plan_folder(self._home, key)
        with self._answers():
            if self._manifest(key) is not None:
                return False
            self._client.fput_object(self._bucket.name, self._plan_name(engine), str(folder / PLAN_FILE))
            new = self._commit(key, (folder / MANIFEST_FILE).read_bytes())
            self._remove_unnamed(key)
        return new

    def fetch(self, key: str) -> bool:
        """Install a published engine under the home; return whether it is new here.

        Raises:
            EngineMissing: it is not published.
            EngineDamaged: the plan is not the one that the manifest names; nothing was installed.
        """
        if read_manifest(plan_folder(self._home, key)) is not None:
            verify(self._home, key)
            return False
        with self._answers():
            text = self._manifest(key)
            if text is None:
                raise EngineMissing(f"{key} is not published in {self._bucket.name}; build it on the node", field=key)
            with alone(self._home), scratch_folder(self._home) as scratch:
                self._get_plan(self._parsed(key, text), scratch / PLAN_FILE)
                (scratch / MANIFEST_FILE).write_bytes(text)
                move_into_place(scratch, plan_folder(self._home, key))
        return True

    def engines(self, models: Iterable[str]) -> list[Engine]:
        """Return the manifests of what is published of these models.

        Raises:
            EngineDamaged: one is not as it was written.
        """
        with self._answers():
            names = [name for model in models for name in self._names(f"{model}/")]
            keys = [name.removesuffix(f"/{MANIFEST_FILE}") for name in names if name.endswith(f"/{MANIFEST_FILE}")]
            return [self._parsed(key, text) for key in keys if (text := self._manifest(key)) is not None]

    def _parsed(self, key: str, text: bytes) -> Engine:
        return parse_manifest(text, f"{self._bucket.name}/{self._name(key)}/{MANIFEST_FILE}", key)

    def _commit(self, key: str, text: bytes) -> bool:
        """Write a manifest unless there is one; return whether it was written."""
        # A presigned request, because the client's own puts take no conditions.
        name = self._name(f"{key}/{MANIFEST_FILE}")
        url = self._client.get_presigned_url("PUT", self._bucket.name, name, expires=_URL_LIFE)
        response = self._http.request("PUT", url, body=text, headers={"If-None-Match": "*"}, retries=False)
        if response.status not in (200, _PRECONDITION_FAILED):
            raise StoreUnavailable(f"the store refused {name}: {response.status} {response.reason}", field=name)
        return response.status == 200

    def _remove_unnamed(self, key: str) -> None:
        """Remove the plans of a key that its manifest does not name: of an upload that was cut, or came second."""
        engine = self._parsed(key, self._manifest(key) or b"")
        for name in map(self._name, self._names(f"{key}/")):
            if name.endswith(".plan") and name != self._plan_name(engine):
                self._client.remove_object(self._bucket.name, name)

    def _get_plan(self, engine: Engine, path: Path) -> None:
        self._client.fget_object(self._bucket.name, self._plan_name(engine), str(path))
        if file_digest(path) != engine.plan.sha256:
            raise EngineDamaged(
                f"{engine.key}: the plan in {self._bucket.name} has another digest than its manifest says; nothing "
                "was installed. Delete both objects there and publish it anew",
                field=engine.key,
            )

    def _manifest(self, key: str) -> bytes | None:
        try:
            name = self._name(f"{key}/{MANIFEST_FILE}")
            with closing(self._client.get_object(self._bucket.name, name)) as response:
                return bytes(response.read())
        except S3Error as error:
            if error.code in _MISSING:
                return None
            raise

    def _names(self, below: str) -> list[str]:
        listed = self._client.list_objects(self._bucket.name, prefix=self._name(below), recursive=True)
        return [str(item.object_name).removeprefix(self._name("")) for item in listed]

    def _plan_name(self, engine: Engine) -> str:
        return self._name(f"{engine.key}/{engine.plan.sha256}.plan")

    def _name(self, name: str) -> str:
        return f"{self._bucket.prefix}/{name}"

    @contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            yield
        except S3Error as error:
            if error.code in _MISSING:
                raise EngineMissing(f"{error.object_name} is gone; publish it anew", field="bucket") from error
            raise StoreUnavailable(f"{self._bucket.endpoint} refuses: {error.code}", field=self._bucket.name) from error
        except (MinioException, HTTPError, ConnectionError) as error:
            raise StoreUnavailable(f"{self._bucket.endpoint} does not answer: {error}", field="endpoint") from error
