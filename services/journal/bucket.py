"""Journal in a bucket of an S3 server: objects that are put only where there is none (`If-None-Match`)."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import S3Error, ServerError
from urllib3.exceptions import HTTPError

from services.chassis.certificates.trust import S3_CA_SETTING, checked, unavailable
from services.journal.settings import JournalBucketSettings

_DIGITS = 16
_SUFFIX = ".json"
_THERE_ALREADY = frozenset({409, 412})
_MISSING = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchBucket"})
_LISTED_AT_A_TIME = 1000
_PRESIGNED_FOR = timedelta(minutes=5)
_TIMEOUT = urllib3.Timeout(connect=2.0, read=10.0)

ResultT = TypeVar("ResultT")


class JournalBucket:
    """Implements `ports.JournalObjects`.

    The bucket is made by who runs the store, best with a lock on its objects: no service may delete there.
    """

    def __init__(self, settings: JournalBucketSettings) -> None:
        endpoint = urlsplit(settings.journal_s3_endpoint)
        self._bucket = settings.journal_bucket
        self._http = urllib3.PoolManager(timeout=_TIMEOUT, retries=False, ca_certs=checked(settings.s3_ca_file))
        self._client = Minio(
            endpoint=endpoint.netloc,
            access_key=settings.journal_s3_access_key,
            secret_key=settings.journal_s3_secret_key.get_secret_value(),
            secure=endpoint.scheme == "https",
            region=settings.journal_s3_region,
            http_client=self._http,
        )

    async def create(self, number: int, data: bytes) -> bool:
        """Put an object unless there is one of this number."""
        return await self._run(lambda: self._create(number, data))

    async def read(self, number: int) -> bytes | None:
        """Return an object."""
        return await self._run(lambda: self._read(number))

    async def newest(self, after: int = -1) -> int | None:
        """Return the highest number above `after`."""
        return await self._run(lambda: self._newest(after))

    async def store_time(self, number: int) -> datetime | None:
        """Return when an object was stored."""
        return await self._run(lambda: self._store_time(number))

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        try:
            return await asyncio.to_thread(work)
        except (HTTPError, ServerError, S3Error, ConnectionError) as error:
            raise unavailable("journal", S3_CA_SETTING, error) from error

    def _create(self, number: int, data: bytes) -> bool:
        url = self._client.get_presigned_url("PUT", self._bucket, _name(number), expires=_PRESIGNED_FOR)
        response = self._http.urlopen("PUT", url, body=data, headers={"If-None-Match": "*"})
        if response.status not in {200, *_THERE_ALREADY}:
            raise ServerError(f"the journal's bucket answers {response.status}", response.status)
        # A put whose answer was lost is found here: it is stored if what is there is what was sent.
        return response.status == 200 or self._read(number) == data

    def _read(self, number: int) -> bytes | None:
        try:
            response = self._client.get_object(self._bucket, _name(number))
        except S3Error as error:
            if error.code in _MISSING:
                return None
            raise
        try:
            return bytes(response.read())
        finally:
            response.close()
            response.release_conn()

    def _store_time(self, number: int) -> datetime | None:
        try:
            found: datetime | None = self._client.stat_object(self._bucket, _name(number)).last_modified
        except S3Error as error:
            if error.code in _MISSING:
                return None
            raise
        return found

    def _newest(self, after: int) -> int | None:
        start = _name(after) if after >= 0 else None
        found = self._client.list_objects(self._bucket, start_after=start)
        newest = None
        while batch := list(islice(found, _LISTED_AT_A_TIME)):
            newest = int(str(batch[-1].object_name).removesuffix(_SUFFIX))
        return newest


def _name(number: int) -> str:
    return f"{number:0{_DIGITS}}{_SUFFIX}"
