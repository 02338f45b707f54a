"""Objects in buckets: sealed bytes under random names, on any S3 server."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import Protocol, Self, TypeVar
from urllib.parse import urlsplit

import structlog
import urllib3
from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import S3Error, ServerError
from urllib3.exceptions import HTTPError

from services.chassis.bucket_lifecycle import ensure_backstop
from services.chassis.certificates.trust import S3_CA_SETTING, checked, unavailable
from services.chassis.errors import DependencyUnavailable
from services.chassis.gauges import Reading
from services.chassis.held_connections import check_none_is_held
from services.chassis.limits.fair_turns import FairTurns
from services.chassis.metrics import OBJECTS_DURATION, OBJECTS_PENDING, Measurements
from services.chassis.settings import ObjectStoreSettings

STREAM_PIECE_BYTES = 1024 * 1024

ResultT = TypeVar("ResultT")

_log = structlog.stdlib.get_logger()

_MISSING = frozenset({"NoSuchKey", "NoSuchObject", "InvalidRange"})
"""The last: it is shorter than what is asked for."""
_MADE_MEANWHILE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
_PRESIGNED_FOR = timedelta(minutes=15)
_LIST_BATCH = 1000
_TIMEOUT = urllib3.Timeout(connect=2.0, read=30.0)
_OVERLOADED = (500, 502, 503, 504, 507)
"""What passes: 507 says that the disk is full, and SeaweedFS says 500 for it."""
_CUT_SHORT = "IncompleteBody"
"""The connection broke, or MinIO's disk is full."""


class ObjectMissing(Exception):
    """There is no such object: it was never there, or it is purged."""

    def __init__(self, bucket: str, name: str) -> None:
        super().__init__(f"no object {name} in bucket {bucket}")
        self.bucket = bucket
        self.name = name


@dataclass(frozen=True)
class StoredObject:
    """An object as a list shows it.

    Attributes:
        name: Its name.
        put_time: When it was stored, by the store's clock.
    """

    name: str
    put_time: datetime


class ObjectStore(Protocol):
    """What a service may do with objects.

    Every method raises `services.chassis.errors.DependencyUnavailable` when the store does not answer.
    """

    async def put(self, bucket: str, name: str, data: bytes) -> None:
        """Store `data` durably, in place of whatever had the name."""

    async def get(self, bucket: str, name: str) -> bytes:
        """Return a whole object.

        Raises:
            ObjectMissing: there is none.
        """

    def stream(self, bucket: str, name: str, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yield an object's bytes from `offset` on, `length` of them or to the end, in pieces.

        Raises:
            ObjectMissing: there is none, or none so long; known when the first piece is asked for.
        """

    async def delete(self, bucket: str, names: Sequence[str]) -> None:
        """Delete objects; a name that is not there is no error."""

    def list(self, bucket: str, prefix: str = "") -> AsyncIterator[str]:
        """Yield the names of the objects whose names begin with `prefix`."""

    async def page(self, bucket: str, after: str, limit: int) -> Sequence[StoredObject]:
        """Return the objects that come after a name in the order of their names' bytes, at most so many."""

    async def ensure_bucket(self, name: str, expire_days: int | None = None) -> None:
        """Make the bucket if it is not there.

        Args:
            name: At least 3 characters.
            expire_days: Lifecycle rule that deletes objects of this age in days: a backstop behind the
                service's own deadlines. None leaves the rules as they are.
        """


def random_name() -> str:
    """Return a name for a new object: 32 hex characters that say nothing."""
    return secrets.token_hex(16)


class S3ObjectStore:
    """The object store on an S3 server, with as many threads and kept connections as requests in flight."""

    def __init__(self, settings: ObjectStoreSettings) -> None:
        endpoint = urlsplit(settings.s3_endpoint)
        self._turns = FairTurns(settings.s3_concurrency, shared=max(1, settings.s3_concurrency // 4))
        self._concurrency = settings.s3_concurrency
        self._running = 0
        self._measurements = Measurements()
        self._threads = ThreadPoolExecutor(settings.s3_concurrency, thread_name_prefix="s3")
        self._http = urllib3.PoolManager(
            maxsize=settings.s3_concurrency,
            timeout=_TIMEOUT,
            ca_certs=checked(settings.s3_ca_file),
            retries=urllib3.Retry(total=3, backoff_factor=0.1, status_forcelist=_OVERLOADED, allowed_methods=None),
        )
        self._client = Minio(
            endpoint=endpoint.netloc,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key.get_secret_value(),
            secure=endpoint.scheme == "https",
            region=settings.s3_region,
            http_client=self._http,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Wait for requests in flight and close the connections."""
        await asyncio.to_thread(self._threads.shutdown, wait=True)
        self._http.clear()

    async def put(self, bucket: str, name: str, data: bytes) -> None:
        """Store `data` durably, in place of whatever had the name."""
        await self._run("put", lambda: self._put(bucket, name, data))

    async def get(self, bucket: str, name: str) -> bytes:
        """Return a whole object; raise `ObjectMissing`."""
        return await self._run("get", lambda: self._read(bucket, name))

    async def stream(self, bucket: str, name: str, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yield an object's bytes in pieces of at most 1 MiB; raise `ObjectMissing` at the first."""
        if length == 0:
            return
        response = await self._run("open", lambda: self._open(bucket, name, offset, length))
        try:
            while piece := await self._run("read", lambda: response.read(STREAM_PIECE_BYTES)):
                yield piece
        finally:
            _give_back(response)

    async def delete(self, bucket: str, names: Sequence[str]) -> None:
        """Delete objects, a thousand in a request; a name that is not there is no error."""
        if names:
            await self._run("delete", lambda: self._delete(bucket, names))

    async def list(self, bucket: str, prefix: str = "") -> AsyncIterator[str]:
        """Yield the names of the objects whose names begin with `prefix`."""
        found = self._client.list_objects(bucket, prefix=prefix, recursive=True)
        while batch := await self._run("list", lambda: [item.object_name for item in islice(found, _LIST_BATCH)]):
            for name in batch:
                yield name

    async def page(self, bucket: str, after: str, limit: int) -> Sequence[StoredObject]:
        """Return the objects that come after a name, in order, at most so many."""

        def objects() -> Sequence[StoredObject]:
            found = self._client.list_objects(bucket, recursive=True, start_after=after or None)
            return [StoredObject(item.object_name, item.last_modified) for item in islice(found, limit)]

        return await self._run("list", objects)

    async def ensure_bucket(self, name: str, expire_days: int | None = None) -> None:
        """Make the bucket if it is not there, with its lifecycle backstop."""
        await self._run("make", lambda: self._ensure_bucket(name, expire_days))

    async def look(self) -> Iterable[Reading]:
        """Return how many requests wait for a thread; a look of the process's gauges."""
        return [Reading(OBJECTS_PENDING, max(self._running - self._concurrency, 0))]

    async def _run(self, operation: str, work: Callable[[], ResultT]) -> ResultT:
        check_none_is_held("object-store")
        loop, failed = asyncio.get_running_loop(), dict[str, str]()
        began = loop.time()
        self._running += 1
        try:
            async with self._turns.turn():
                return await loop.run_in_executor(self._threads, work)
        except Exception as error:
            failed["error.type"] = type(error).__name__
            if isinstance(error, HTTPError | ServerError | ConnectionError):
                raise unavailable("object-store", S3_CA_SETTING, error) from error
            raise
        finally:
            self._running -= 1
            self._measurements.measure(OBJECTS_DURATION, loop.time() - began, {"operation": operation, **failed})

    def _put(self, bucket: str, name: str, data: bytes) -> None:
        # A presigned request leaves the body out of the signature: the seal already proves it, and hashing
        # it twice more (here and in the server) would cost as much as sending it.
        url = self._client.get_presigned_url("PUT", bucket, name, expires=_PRESIGNED_FOR)
        response = self._http.urlopen("PUT", url, body=data)
        if response.status != 200:
            error = _s3_error(response, bucket, name)
            if error.code == _CUT_SHORT:
                raise DependencyUnavailable.of("object-store") from error
            raise error

    def _open(self, bucket: str, name: str, offset: int = 0, length: int | None = None) -> urllib3.BaseHTTPResponse:
        try:
            response: urllib3.BaseHTTPResponse = self._client.get_object(
                bucket, name, offset=offset, length=length or 0
            )
        except S3Error as error:
            if error.code in _MISSING:
                raise ObjectMissing(bucket, name) from error
            raise
        return response

    def _read(self, bucket: str, name: str) -> bytes:
        response = self._open(bucket, name)
        try:
            return response.read()
        finally:
            _give_back(response)

    def _delete(self, bucket: str, names: Sequence[str]) -> None:
        failed = list(self._client.remove_objects(bucket, map(DeleteObject, names)))
        if failed:
            raise DependencyUnavailable(f"{len(failed)} of {len(names)} objects were not deleted: call again")

    def _ensure_bucket(self, name: str, expire_days: int | None) -> None:
        if not (was_there := self._client.bucket_exists(name)):
            self._make_bucket(name)
        if expire_days is not None and ensure_backstop(self._client, name, expire_days) and was_there:
            # One that an operator has just made has its first rule put, and nothing in it that outlived its time.
            tell = _log.error if self._holds_something(name) else _log.info
            tell("lifecycle_repaired", bucket=name)

    def _holds_something(self, name: str) -> bool:
        return next(iter(self._client.list_objects(name)), None) is not None

    def _make_bucket(self, name: str) -> None:
        try:
            self._client.make_bucket(name)
        except S3Error as error:
            if error.code not in _MADE_MEANWHILE:
                raise


def _give_back(response: urllib3.BaseHTTPResponse) -> None:
    """Close the connection if the body was not read to its end; if it was, it is in the pool already."""
    response.close()
    response.release_conn()


def _s3_error(response: urllib3.BaseHTTPResponse, bucket: str, name: str) -> S3Error:
    if response.data:
        return S3Error.fromxml(response)
    return S3Error(
        response=response,
        code=str(response.status),
        message=None,
        resource=f"/{bucket}/{name}",
        request_id=None,
        host_id=None,
        bucket_name=bucket,
        object_name=name,
    )
