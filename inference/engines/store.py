"""Engines in a bucket: `<prefix>/<key>/model.plan`, and `<prefix>/<key>/manifest.json`, which commits it.

A manifest is written once and never over another one (`If-None-Match: *`). What lies there without a manifest is
half an upload: nobody reads it, and the next upload of the key replaces it once it is an hour old.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from inference.engines.errors import BeingPublished, EngineDamaged, EngineMissing, StoreUnavailable
from inference.engines.folders import alone, scratch_folder, settle
from inference.engines.manifest import MANIFEST_FILE, PLAN_FILE, Engine, parse_manifest, read_manifest
from inference.engines.process import Clock
from inference.engines.targets import Target
from inference.engines.verify import check_target, verify

_TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=120.0)
_URL_LIFE: Final = timedelta(hours=1)
_STALE: Final = timedelta(hours=1)
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchBucket"})
_PRECONDITION_FAILED: Final = 412
_PIECE_BYTES: Final = 1 << 20
_ONLY_NEW: Final[Mapping[str, str]] = {"If-None-Match": "*"}


@dataclass(frozen=True)
class Bucket:
    """Where engines are kept.

    Attributes:
        endpoint: http(s)://host:port of the S3 server.
        access_key: who asks.
        secret_key: and how they prove it.
        name: the bucket, which has to be there.
        prefix: what every name begins with; may be empty.
        region: of the server.
    """

    endpoint: str
    access_key: str
    secret_key: str
    name: str
    prefix: str = "engines"
    region: str = "us-east-1"


class EngineStore:
    """Publishes and fetches engines; not for use by two threads at a time."""

    def __init__(self, bucket: Bucket, home: Path, clock: Clock) -> None:
        self._bucket, self._home, self._clock = bucket, home, clock
        self._http = urllib3.PoolManager(timeout=_TIMEOUT, retries=urllib3.Retry(total=3, backoff_factor=0.2))
        endpoint = urlsplit(bucket.endpoint)
        self._client = Minio(
            endpoint=endpoint.netloc,
            access_key=bucket.access_key,
            secret_key=bucket.secret_key,
            secure=endpoint.scheme == "https",
            region=bucket.region,
            http_client=self._http,
        )

    def close(self) -> None:
        """Closes the connections."""
        self._http.clear()

    def publish(self, key: str) -> bool:
        """Uploads a committed engine: the plan first, its manifest last.

        Returns:
            Whether it is new there; an engine that is published already is left alone.

        Raises:
            EngineMissing: it is not committed here.
            EngineDamaged: it is not what was committed.
            BeingPublished: another node has begun to upload one of this key.
            StoreUnavailable: the store does not answer or refuses.
        """
        engine = verify(self._home, key)
        folder = self._home / "plans" / key
        with self._answers():
            if self._manifest(key) is not None:
                return False
            self._put_plan(engine, folder / PLAN_FILE)
            status = self._put(f"{key}/{MANIFEST_FILE}", folder / MANIFEST_FILE, _ONLY_NEW)
            return status != _PRECONDITION_FAILED

    def fetch(self, key: str) -> bool:
        """Installs a published engine under the home; one that is whole here is left alone.

        Returns:
            Whether it is new here.

        Raises:
            EngineMissing: nobody has published it.
            EngineDamaged: the plan is not the one that the manifest names; nothing was installed.
            StoreUnavailable: the store does not answer or refuses.
        """
        if read_manifest(self._home / "plans" / key) is not None:
            verify(self._home, key)
            return False
        with self._answers():
            text = self._manifest(key)
            if text is None:
                raise EngineMissing(f"{key} is not published in {self._bucket.name}; build it on the node", field=key)
            engine = self._parsed(key, text)
            with alone(self._home), scratch_folder(self._home) as scratch:
                self._get_plan(engine, scratch / PLAN_FILE)
                (scratch / MANIFEST_FILE).write_bytes(text)
                settle(scratch, self._home / "plans" / key)
        return True

    def newest(self, model: str, identity: str, target: Target) -> str:
        """Finds the engine to be served: of this model and identity, built for this target, the newest.

        Raises:
            EngineMissing: none is published.
            EngineDamaged: a manifest there is not as it was written.
            StoreUnavailable: the store does not answer or refuses.
        """
        with self._answers():
            found = [engine for engine in self._published(model) if engine.identity == identity]
        fitting = [engine for engine in found if engine.parts.target == target]
        if found and not fitting:
            check_target(max(found, key=lambda engine: engine.build_time), target)
        if not fitting:
            raise EngineMissing(f"no engine of {identity} for {target} is published; build it on the node", field=model)
        return max(fitting, key=lambda engine: engine.build_time).key

    def _published(self, model: str) -> Iterator[Engine]:
        listed = self._client.list_objects(self._bucket.name, prefix=self._name(f"{model}/"), recursive=True)
        for item in listed:
            if item.object_name.endswith(f"/{MANIFEST_FILE}"):
                key = item.object_name.removeprefix(self._name("")).removesuffix(f"/{MANIFEST_FILE}")
                text = self._manifest(key)
                if text is not None:
                    yield self._parsed(key, text)

    def _parsed(self, key: str, text: bytes) -> Engine:
        engine = parse_manifest(text, f"{self._bucket.name}/{self._name(key)}/{MANIFEST_FILE}")
        if engine.key != key:
            raise EngineDamaged(f"{self._bucket.name} has {engine.key} under the name {key}; delete it", field=key)
        return engine

    def _put_plan(self, engine: Engine, path: Path) -> None:
        """Uploads a plan in place of what a broken upload left, but not of what another node uploads just now."""
        name = f"{engine.key}/{PLAN_FILE}"
        if self._put(name, path, _ONLY_NEW) != _PRECONDITION_FAILED:
            return
        there = self._client.stat_object(self._bucket.name, self._name(name))
        if (there.etag or "").strip('"') == _etag(path):
            return
        if there.last_modified is not None and self._clock.now() - there.last_modified < _STALE:
            raise BeingPublished(
                f"{engine.key} is being published by another node; look again in a while: its engine serves as well "
                "as this one",
                field=engine.key,
            )
        self._put(name, path, {})

    def _put(self, name: str, path: Path, headers: Mapping[str, str]) -> int:
        # A presigned request, because the client's own puts take no conditions.
        url = self._client.get_presigned_url("PUT", self._bucket.name, self._name(name), expires=_URL_LIFE)
        size = {"Content-Length": str(path.stat().st_size)}
        with path.open("rb") as body:
            response = self._http.urlopen("PUT", url, body=body, headers={**headers, **size}, retries=False)
        if response.status not in (200, _PRECONDITION_FAILED):
            raise StoreUnavailable(f"the store refused {name}: {response.status} {response.reason}", field=name)
        return response.status

    def _get_plan(self, engine: Engine, path: Path) -> None:
        digest = hashlib.sha256()
        response = self._client.get_object(self._bucket.name, self._name(f"{engine.key}/{PLAN_FILE}"))
        try:
            with path.open("wb") as file:
                for piece in response.stream(_PIECE_BYTES):
                    digest.update(piece)
                    file.write(piece)
        finally:
            response.close()
            response.release_conn()
        if digest.hexdigest() != engine.plan.sha256:
            raise EngineDamaged(
                f"{engine.key}: the plan in {self._bucket.name} has another digest than its manifest says; nothing "
                "was installed. Delete both objects there and publish it anew",
                field=engine.key,
            )

    def _manifest(self, key: str) -> bytes | None:
        try:
            response = self._client.get_object(self._bucket.name, self._name(f"{key}/{MANIFEST_FILE}"))
        except S3Error as error:
            if error.code in _MISSING - {"NoSuchBucket"}:
                return None
            raise
        try:
            return bytes(response.read())
        finally:
            response.close()
            response.release_conn()

    def _name(self, name: str) -> str:
        return f"{self._bucket.prefix}/{name}" if self._bucket.prefix else name

    @contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            yield
        except S3Error as error:
            if error.code in _MISSING - {"NoSuchBucket"}:
                raise EngineMissing(f"{error.object_name} is gone; publish it anew", field="bucket") from error
            raise StoreUnavailable(f"{self._bucket.endpoint} refuses: {error.code}", field=self._bucket.name) from error
        except (MinioException, HTTPError, ConnectionError) as error:
            raise StoreUnavailable(f"{self._bucket.endpoint} does not answer: {error}", field="endpoint") from error


def _etag(path: Path) -> str:
    """What a store calls an object of these bytes that came in one request."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
